//! Compiles `src/libjpeg/decode.c`, which keeps libjpeg's `setjmp` and `longjmp` among frames of C.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=src/libjpeg/decode.c");
    // The crate that compiles the library says where its headers are; several folders are joined as a PATH is.
    let headers = env::var_os("DEP_JPEG_INCLUDE");
    let headers: Vec<_> = headers.iter().flat_map(env::split_paths).collect();
    assert!(!headers.is_empty(), "Expected the headers of libjpeg in DEP_JPEG_INCLUDE but received none");
    cc::Build::new().includes(headers).file("src/libjpeg/decode.c").compile("millrace_libjpeg");
}
