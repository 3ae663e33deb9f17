//! Which format a file has, by its first bytes.
//!
//! Formats that are not read are known by name, so that a refusal says what the file is and what to do.

/// What a file's first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Jpeg,
    Png,
    WebP,
    Gif,
    Bmp,
    Tiff,
    /// A format that is not read, by its usual name with an article where one belongs.
    Known(&'static str),
    Unknown,
}

/// First bytes of formats that are not read, and their names.
const OTHERS: [(&[u8], &str); 24] = [
    (b"\xFF\x0A", "JPEG XL"),
    (b"\0\0\0\x0CJXL \r\n\x87\n", "JPEG XL"),
    (b"\0\0\0\x0CjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xFF\x4F\xFF\x51", "JPEG 2000"),
    (b"II\xBC", "JPEG XR"),
    (b"\0\0\x01\0", "an icon (ICO)"),
    (b"\0\0\x02\0", "a cursor (CUR)"),
    (b"icns", "an icon (ICNS)"),
    (b"8BPS", "a Photoshop file (PSD)"),
    (b"gimp xcf", "a GIMP file (XCF)"),
    (b"%PDF", "PDF"),
    (b"%!PS", "PostScript"),
    (b"\xC5\xD0\xD3\xC6", "PostScript"),
    (b"qoif", "QOI"),
    (b"DDS ", "DDS"),
    (b"\x76\x2F\x31\x01", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"farbfeld", "farbfeld"),
    (b"\xD7\xCD\xC6\x9A", "a Windows metafile"),
    (b"\x8AMNG\r\n\x1A\n", "MNG"),
    (b"FLIF", "FLIF"),
    (b"BPG\xFB", "BPG"),
    (b"SIMPLE  =", "FITS"),
    (b"\x1F\x8B", "a gzip file"),
];

/// Files whose first four bytes are a TIFF's: classic and big ones, of both byte orders, and the two mistakes that
/// Pillow forgives.
const TIFF: [&[u8]; 6] = [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"II\0*", b"MM*\0"];

/// How far into a file the first element of an SVG is looked for, behind comments and a document type.
const SVG_HEAD: usize = 1024;

impl Format {
    /// The format of a file that begins with `bytes`.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let begins = |with: &[u8]| bytes.starts_with(with);
        if begins(b"\xFF\xD8\xFF") {
            Self::Jpeg
        } else if begins(b"\x89PNG\r\n\x1A\n") {
            Self::Png
        } else if begins(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            Self::WebP
        } else if begins(b"GIF87a") || begins(b"GIF89a") {
            Self::Gif
        } else if begins(b"BM") {
            Self::Bmp
        } else if TIFF.iter().any(|magic| begins(magic)) {
            Self::Tiff
        } else if bytes.get(4..8) == Some(b"ftyp") {
            brands(bytes)
        } else if let Some((_, name)) = OTHERS.iter().find(|(magic, _)| begins(magic)) {
            Self::Known(name)
        } else if is_portable_map(bytes) {
            Self::Known("a portable map (PBM, PGM, PPM)")
        } else if is_svg(bytes) {
            Self::Known("SVG")
        } else {
            Self::Unknown
        }
    }
}

/// What the brands of an ISO media file say. The major brand may be a general one, so the compatible ones count too.
fn brands(bytes: &[u8]) -> Format {
    let length = bytes.first_chunk().map_or(0, |length| u32::from_be_bytes(*length) as usize);
    let head = bytes.get(..length.clamp(12, 256)).unwrap_or(bytes);
    let has =
        |names: &[&[u8]]| head.get(8..).unwrap_or_default().chunks(4).any(|brand| names.contains(&brand));
    if has(&[b"avif", b"avis"]) {
        Format::Known("AVIF")
    } else if has(&[b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"]) {
        Format::Known("HEIC")
    } else if has(&[b"crx "]) {
        Format::Known("a camera's raw file (CR3)")
    } else {
        Format::Known("a video, or another file of the MP4 family")
    }
}

fn is_portable_map(bytes: &[u8]) -> bool {
    matches!(bytes, [b'P', b'1'..=b'7', b' ' | b'\t' | b'\r' | b'\n', ..])
}

fn is_svg(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(SVG_HEAD)];
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
    text.starts_with(b"<") && text.windows(4).any(|part| part.eq_ignore_ascii_case(b"<svg"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_that_are_read() {
        assert_eq!(Format::of(b"\xFF\xD8\xFF\xE0"), Format::Jpeg);
        assert_eq!(Format::of(b"RIFF\x10\0\0\0WEBPVP8 "), Format::WebP);
        assert_eq!(Format::of(b"MM\0+\0\x08"), Format::Tiff);
        assert_eq!(Format::of(b"RIFF\x10\0\0\0WAVE"), Format::Unknown);
        assert_eq!(Format::of(b""), Format::Unknown);
    }

    #[test]
    fn others_have_names() {
        assert_eq!(Format::of(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"), Format::Known("HEIC"));
        assert_eq!(Format::of(b"\0\0\0\x1Cftypmif1\0\0\0\0mif1avifmiaf"), Format::Known("AVIF"));
        assert_eq!(Format::of(b"\xEF\xBB\xBF<?xml version='1.0'?>\n<svg width='1'>"), Format::Known("SVG"));
        assert_eq!(Format::of(b"<html><body>404"), Format::Unknown);
        assert_eq!(Format::of(b"P6\n1 1\n255\n"), Format::Known("a portable map (PBM, PGM, PPM)"));
    }
}
