//! What a user gives for an image, and reading files of it.

use super::{ImageLimits, Rgb, decode::convert, unusable};
use millrace_contract::Result;
use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

/// One image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageInput {
    /// A file's path.
    Path(PathBuf),
    /// The content of a file.
    Bytes(Vec<u8>),
    /// Pixels that are decoded already.
    Raw(RawPixels),
}

impl ImageInput {
    /// Bytes it holds in memory.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        match self {
            Self::Path(_) => 0,
            Self::Bytes(bytes) => bytes.len(),
            Self::Raw(raw) => raw.data.len(),
        }
    }
}

/// Decoded pixels: rows from the top, 8 bits a channel, channels interleaved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawPixels {
    /// `width * height * channels` values.
    pub data: Vec<u8>,
    /// Pixels of a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA. Alpha is dropped.
    pub channels: u8,
}

impl RawPixels {
    pub(super) fn into_rgb(self, limits: &ImageLimits) -> Result<Rgb> {
        limits.check_pixels(self.width.into(), self.height.into())?;
        if !(1..=4).contains(&self.channels) {
            return Err(unusable(format_args!(
                "raw pixels have {} channels, expected 1 to 4",
                self.channels
            )));
        }
        let expected = u64::from(self.width) * u64::from(self.height) * u64::from(self.channels);
        if self.data.len() as u64 != expected {
            return Err(unusable(format_args!(
                "raw pixels of {} x {} x {} are {} bytes, expected {expected}",
                self.width,
                self.height,
                self.channels,
                self.data.len()
            )));
        }
        let data = match self.channels {
            1 => convert::gray(&self.data, 1),
            2 => convert::gray(&self.data, 2),
            3 => self.data,
            _ => convert::without_alpha(&self.data),
        };
        Rgb::new(self.width, self.height, data)
    }
}

/// The content of the file at `path`, at most as much as the limit allows.
pub(super) fn read_file(path: &Path, limits: &ImageLimits) -> Result<Vec<u8>> {
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => unusable("the file does not exist"),
        _ => unusable(format_args!("the file cannot be read: {error}")),
    };
    // Asked first: opening a pipe would block.
    let found = fs::metadata(path).map_err(unreadable)?;
    if !found.is_file() {
        return Err(unusable("not a file"));
    }
    limits.check_bytes(found.len())?;
    let mut bytes = Vec::with_capacity(usize::try_from(found.len()).unwrap_or(0));
    // It may grow meanwhile.
    let file = File::open(path).map_err(unreadable)?;
    file.take(limits.max_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    limits.check_bytes(bytes.len() as u64)?;
    Ok(bytes)
}
