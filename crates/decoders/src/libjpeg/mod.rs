//! libjpeg-turbo through `decode.c`: every JPEG that it knows, with each of its warnings about missing pixels an error.
//!
//! Not for callers outside: [`crate::jpeg`] chooses between this and the faster path.

#![expect(unsafe_code, reason = "calls into C")]

use crate::{
    DecodeError,
    jpeg::{Budget, Colors},
};
use std::ffi::{CStr, c_char, c_int};

// The crate compiles the library and links it; nothing of it is called from Rust.
use mozjpeg_sys as _;

/// Bytes of a message with its final zero, `JMSG_LENGTH_MAX` of libjpeg.
const MESSAGE_LENGTH: usize = 200;

/// `millrace_jpeg_header` of `decode.c`, field by field.
#[repr(C)]
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct RawHeader {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) components: u32,
    pub(crate) channels: u32,
    pub(crate) from_ycbcr: u32,
    pub(crate) blocks: u64,
    pub(crate) huffman: u32,
    pub(crate) coefficients: u64,
}

unsafe extern "C" {
    fn millrace_jpeg_read_header(
        bytes: *const u8,
        length: usize,
        colors: u32,
        header: *mut RawHeader,
        message: *mut c_char,
    ) -> c_int;

    fn millrace_jpeg_decode(
        bytes: *const u8,
        length: usize,
        colors: u32,
        rows: *mut u8,
        stride: usize,
        height: u32,
        most_memory: u64,
        most_scans: u32,
        message: *mut c_char,
    ) -> c_int;
}

/// Room for a message that C writes.
struct Message([c_char; MESSAGE_LENGTH]);

impl Message {
    fn error(&self) -> DecodeError {
        // SAFETY: the array ends with a zero at the latest, since C writes at most MESSAGE_LENGTH bytes and ends them with one.
        let text = unsafe { CStr::from_ptr(self.0.as_ptr()) };
        DecodeError::new(text.to_string_lossy().into_owned())
    }
}

/// The number of `decode.c`'s `COLORS_…`.
fn number_of(colors: Colors) -> u32 {
    match colors {
        Colors::ToldByFile => 0,
        Colors::FromYCbCr => 1,
        Colors::AsStored => 2,
    }
}

/// Reads the markers up to the first scan.
pub(crate) fn read_header(bytes: &[u8], colors: Colors) -> Result<RawHeader, DecodeError> {
    let mut header = RawHeader::default();
    let mut message = Message([0; MESSAGE_LENGTH]);
    // SAFETY: `bytes` is read for its length only; `header` and `message` are of the layout and the length that C expects.
    let read = unsafe {
        millrace_jpeg_read_header(
            bytes.as_ptr(),
            bytes.len(),
            number_of(colors),
            &raw mut header,
            message.0.as_mut_ptr(),
        )
    };
    if read == 0 { Err(message.error()) } else { Ok(header) }
}

/// Decodes all rows into `rows`, which has `height` rows of `stride` bytes, as the header of the same bytes tells.
pub(crate) fn decode(
    bytes: &[u8],
    colors: Colors,
    rows: &mut [u8],
    stride: usize,
    height: u32,
    budget: Budget,
) -> Result<(), DecodeError> {
    if Some(rows.len()) != stride.checked_mul(height as usize) {
        return Err(DecodeError::new("the buffer is not of the size of the picture"));
    }
    let mut message = Message([0; MESSAGE_LENGTH]);
    // SAFETY: `bytes` is read for its length only. C checks that the picture has `height` rows of `stride` bytes before it
    // writes, and `rows` has as many. Errors of libjpeg return from C as 0.
    let decoded = unsafe {
        millrace_jpeg_decode(
            bytes.as_ptr(),
            bytes.len(),
            number_of(colors),
            rows.as_mut_ptr(),
            stride,
            height,
            budget.most_memory,
            budget.most_scans,
            message.0.as_mut_ptr(),
        )
    };
    if decoded == 0 { Err(message.error()) } else { Ok(()) }
}
