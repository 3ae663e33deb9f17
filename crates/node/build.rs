//! Links the addon against Node-API as each platform wants it.
fn main() {
    napi_build::setup();
}
