//! Images that are too large, broken or lies: each an error of its own kind, none of them work or memory.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use millrace_contract::{ErrorKind, Result};
use millrace_core::image::{self, ImageInput, ImageLimits, Processor, RawPixels, Rgb};
use serde_json::json;

#[expect(dead_code, reason = "other tests use more of it")]
mod goldens;

fn read(bytes: Vec<u8>) -> Result<Rgb> {
    image::read(ImageInput::Bytes(bytes), &ImageLimits::default(), false)
}

fn file(name: &str) -> Vec<u8> {
    std::fs::read(goldens::root().join("images").join(name)).unwrap()
}

/// The message of the one kind of error that an image may give.
fn why<T: std::fmt::Debug>(result: Result<T>) -> String {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ImageInvalid);
    error.message().to_owned()
}

/// A PNG's checksum.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 },
        )
    })
}

/// A PNG whose header claims `side` x `side` pixels.
fn claiming(side: u32) -> Vec<u8> {
    let mut png = file("rgb.png");
    png[16..20].copy_from_slice(&side.to_be_bytes());
    png[20..24].copy_from_slice(&side.to_be_bytes());
    let crc = crc(&png[12..29]);
    png[29..33].copy_from_slice(&crc.to_be_bytes());
    png
}

#[test]
fn bombs_are_refused_by_their_header() {
    let message = why(read(claiming(50_000)));
    assert!(message.contains("50000 x 50000"), "{message}");
    let mut jpeg = file("baseline.jpg");
    let frame = jpeg.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xEA, 0x60, 0xEA, 0x60]);
    assert!(why(read(jpeg)).contains("60000 x 60000"));
}

#[test]
fn limits_are_the_callers() {
    let limits = ImageLimits { max_pixels: 100, ..ImageLimits::default() };
    assert!(why(image::read(ImageInput::Bytes(file("rgb.png")), &limits, false)).contains("at most 100"));
    let limits = ImageLimits { max_bytes: 10, ..ImageLimits::default() };
    let path = goldens::root().join("images/rgb.png");
    assert!(why(image::read(ImageInput::Path(path), &limits, false)).contains("at most 10"));
}

#[test]
fn every_format_cut_anywhere_is_an_error_or_an_image() {
    for name in [
        "baseline.jpg",
        "progressive.jpg",
        "cmyk.jpg",
        "rgb.png",
        "interlaced.png",
        "palette.png",
        "lossy.webp",
        "lossless_alpha.webp",
        "animated.gif",
        "plain.bmp",
        "plain.tiff",
    ] {
        let whole = file(name);
        assert!(read(whole.clone()).is_ok(), "{name}");
        for part in 0..16 {
            if let Err(error) = read(whole[..whole.len() * part / 16].to_vec()) {
                assert_eq!(error.kind(), ErrorKind::ImageInvalid, "{name} {part}");
            }
        }
        assert!(why(read(whole[..whole.len() / 2].to_vec())).len() > 10, "{name}");
    }
}

#[test]
fn damage_never_panics() {
    for name in ["baseline.jpg", "progressive.jpg", "rgb.png", "lossy.webp", "animated.gif", "plain.tiff"] {
        let whole = file(name);
        for seed in 0..64_usize {
            let mut bytes = whole.clone();
            for hit in 0..4 {
                let at = (seed * 7919 + hit * 104_729) % bytes.len();
                bytes[at] = bytes[at].wrapping_mul(31).wrapping_add(17);
            }
            if let Err(error) = read(bytes) {
                assert_eq!(error.kind(), ErrorKind::ImageInvalid, "{name} {seed}");
            }
        }
    }
}

#[test]
fn raw_pixels_must_fit_their_size() {
    let raw = |data: Vec<u8>, channels| {
        let raw = RawPixels { data, width: 2, height: 1, channels };
        image::read(ImageInput::Raw(raw), &ImageLimits::default(), false)
    };
    assert_eq!(raw(vec![7, 9], 1).unwrap().data(), [7, 7, 7, 9, 9, 9]);
    assert_eq!(raw(vec![1, 2, 3, 0, 4, 5, 6, 0], 4).unwrap().data(), [1, 2, 3, 4, 5, 6]);
    assert!(why(raw(vec![0; 5], 3)).contains("expected 6"));
    assert!(why(raw(vec![0; 10], 5)).contains("5 channels"));
}

/// A sliver scaled to its shorter side would be gigabytes, if more than the crop were made of it.
#[test]
fn slivers_cost_no_more_than_their_crop() {
    let config = json!({
        "do_resize": true, "size": { "shortest_edge": 224 }, "do_center_crop": true, "crop_size": 224,
    });
    let sliver = |width, height| {
        let raw = RawPixels { data: vec![9; 300_000], width, height, channels: 1 };
        image::read(ImageInput::Raw(raw), &ImageLimits::default(), false).unwrap()
    };
    let processor = Processor::from_config(&config).unwrap();
    for (width, height) in [(1, 300_000), (300_000, 1)] {
        let pixels = processor.process(sliver(width, height), &ImageLimits::default()).unwrap();
        assert_eq!(pixels.bytes(), 224 * 224 * 3);
    }
    let whole = json!({ "do_resize": true, "size": { "shortest_edge": 224 } });
    let processor = Processor::from_config(&whole).unwrap();
    assert!(why(processor.process(sliver(1, 300_000), &ImageLimits::default())).contains("pixels"));
}

#[test]
fn formats_that_are_not_read_are_named() {
    let refusal = |bytes: &[u8]| why(read(bytes.to_vec()));
    assert!(refusal(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic").contains("this is HEIC"));
    assert!(refusal(b"\0\0\0\x0CJXL \r\n\x87\n").contains("JPEG XL"));
    assert!(refusal(b"8BPS\0\x01").contains("Photoshop"));
    assert!(refusal(b"<svg xmlns='x'></svg>").contains("SVG"));
    assert!(refusal(b"not an image").contains("not a JPEG"));
}

/// A progressive JPEG of a few kilobytes may claim 9,400 x 9,400 pixels. Its blocks need a bit each at the least, so that it is
/// known to lack them before the memory for them is asked for.
#[test]
fn a_jpeg_too_short_for_its_blocks_is_refused_before_it_is_decoded() {
    let mut jpeg = file("progressive.jpg");
    let frame = jpeg.windows(2).position(|pair| pair == [0xFF, 0xC2]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0x24, 0xB8, 0x24, 0xB8]);
    assert!(why(read(jpeg)).contains("too short for its 9400 x 9400 pixels"));
}
