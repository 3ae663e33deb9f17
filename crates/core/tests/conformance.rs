//! What Pillow makes of a thousand small pictures of all kinds, and what is made of them here.
//!
//! `__test__/fixtures/images/make/` says how the set is made: every scan script, sampling and restart of JPEG, every colour type,
//! depth and filter of PNG, the kinds of WebP, GIF, BMP and TIFF, and files that are cut, damaged or contradict themselves. Of
//! files that are whole, what is decoded must be Pillow's picture bit by bit; files under `damaged/` may be refused as well. No
//! file may be read that Pillow refuses.
//!
//! Public reports whose kinds are in the set: etemesi254/zune-image#422, #341, #419, #436, #442, #273 and PR#124,
//! image-rs/jpeg-decoder#281 and #262, pop-os/cosmic-bg#118, libvips/libvips#600, image-rs/image#1927, #1977 and #2530.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use flate2::read::ZlibDecoder;
use millrace_contract::ErrorKind;
use millrace_core::image::{self, ImageInput, ImageLimits};
use serde_json::Value;
use std::{fs, io::Read, path::PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../__test__/fixtures/images")
}

/// Files that Pillow reads and that are refused by name, by what the refusal says.
const REFUSED: [(&str, &str); 3] = [("-lzma-", "LZMA"), ("-zstd-", "Zstandard"), ("/lab", "Lab colours")];

/// Why what is made of the file is wrong; none when it is right.
fn wrong(name: &str, expected: &Value, pixels: &[u8]) -> Option<String> {
    let path = root().join("files").join(name);
    let result = image::read(ImageInput::Path(path), &ImageLimits::default(), false);
    if let Err(error) = &result
        && error.kind() != ErrorKind::ImageInvalid
    {
        return Some(format!("an error of kind {:?}", error.kind()));
    }
    let refusal = &expected["refused"];
    match result {
        Err(_) if refusal.is_string() || name.starts_with("damaged/") => None,
        Err(error) => {
            let refused = |(part, why): &(&str, &str)| name.contains(part) && error.message().contains(why);
            (!REFUSED.iter().any(refused)).then(|| error.message().to_owned())
        }
        Ok(_) if refusal.is_string() => Some(format!("read, but Pillow says {refusal}")),
        Ok(rgb) => {
            let number = |key: &str| usize::try_from(expected[key].as_u64().unwrap()).unwrap();
            let (width, height) = (number("width"), number("height"));
            if (rgb.width(), rgb.height()) != (width, height) {
                return Some(format!("{} x {} pixels, not {width} x {height}", rgb.width(), rgb.height()));
            }
            let expected = &pixels[number("at")..][..3 * width * height];
            let most = rgb.data().iter().zip(expected).map(|(a, b)| a.abs_diff(*b)).max();
            (most != Some(0)).then(|| format!("pixels differ by up to {most:?} levels"))
        }
    }
}

#[test]
fn pictures_are_pillows_or_refused() {
    let known: Value = serde_json::from_slice(&fs::read(root().join("expected.json")).unwrap()).unwrap();
    let mut pixels = Vec::new();
    let packed = fs::read(root().join("pixels.zlib")).unwrap();
    ZlibDecoder::new(packed.as_slice()).read_to_end(&mut pixels).unwrap();
    let files = known["files"].as_object().unwrap();
    assert!(files.len() > 900, "{} files", files.len());
    let wrong: Vec<String> = files
        .iter()
        .filter_map(|(name, expected)| wrong(name, expected, &pixels).map(|why| format!("{name}: {why}")))
        .collect();
    assert!(wrong.is_empty(), "{} of {} files:\n{}", wrong.len(), files.len(), wrong.join("\n"));
}

#[test]
fn orientation_is_followed_in_every_format_that_has_one() {
    for name in [
        "jpeg/orientation-6.jpg",
        "webp/orientation-6.webp",
        "webp/orientation-6-without-prefix.webp",
        "webp/orientation_6_prefixed_exif.webp",
    ] {
        let read = |auto_orient| {
            let path = root().join("files").join(name);
            image::read(ImageInput::Path(path), &ImageLimits::default(), auto_orient).unwrap()
        };
        let (stored, upright) = (read(false), read(true));
        assert_eq!((upright.width(), upright.height()), (stored.height(), stored.width()), "{name}");
        let pixel = |image: &image::Rgb, x: usize, y: usize| {
            image.data()[3 * (y * image.width() + x)..][..3].to_vec()
        };
        // The lower left corner becomes the upper left one.
        assert_eq!(pixel(&upright, 0, 0), pixel(&stored, 0, stored.height() - 1), "{name}");
    }
}
