//! WebP: lossy, lossless, with and without alpha, the first frame of an animation.
//!
//! The container is taken apart by libwebp's demuxer, which accepts whole files only, and the frame is decoded into RGB as
//! Pillow's canvas would show it: alpha is dropped, what a frame does not cover is black.

#![expect(unsafe_code, reason = "calls into C")]

use crate::DecodeError;
use libwebp_sys as sys;
use std::{mem::MaybeUninit, ptr, slice};

/// A file that the demuxer took for a whole WebP. It borrows the file's bytes.
#[derive(Debug)]
pub struct WebP<'bytes> {
    demuxer: *mut sys::WebPDemuxer,
    bytes: &'bytes [u8],
}

impl<'bytes> WebP<'bytes> {
    /// Takes the container apart. A file that is cut, or that holds something else, is an error.
    pub fn open(bytes: &'bytes [u8]) -> Result<Self, DecodeError> {
        let data = sys::WebPData { bytes: bytes.as_ptr(), size: bytes.len() };
        // SAFETY: `data` points to `bytes`, which outlive the demuxer by this type's lifetime; no state is asked for.
        let demuxer = unsafe {
            sys::WebPDemuxInternal(&raw const data, 0, ptr::null_mut(), sys::WebPGetDemuxABIVersion())
        };
        if demuxer.is_null() {
            return Err(DecodeError::new("the container is damaged or not whole"));
        }
        Ok(Self { demuxer, bytes })
    }

    fn feature(&self, feature: sys::WebPFormatFeature) -> u32 {
        // SAFETY: the demuxer lives as long as `self`.
        unsafe { sys::WebPDemuxGetI(self.demuxer, feature) }
    }

    /// Width and height of the canvas in pixels.
    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        (
            self.feature(sys::WebPFormatFeature::WEBP_FF_CANVAS_WIDTH),
            self.feature(sys::WebPFormatFeature::WEBP_FF_CANVAS_HEIGHT),
        )
    }

    /// The content of the EXIF chunk.
    #[must_use]
    pub fn exif(&self) -> Option<&'bytes [u8]> {
        let mut found = MaybeUninit::<sys::WebPChunkIterator>::zeroed();
        // SAFETY: the name has the four bytes that are read; the iterator is written before it is read, and released, where
        // the call says that there is a chunk. The chunk lies within `bytes`.
        unsafe {
            if sys::WebPDemuxGetChunk(self.demuxer, c"EXIF".as_ptr(), 1, found.as_mut_ptr()) == 0 {
                return None;
            }
            let mut found = found.assume_init();
            let chunk = slice::from_raw_parts(found.chunk.bytes, found.chunk.size);
            sys::WebPDemuxReleaseChunkIterator(&raw mut found);
            Some(chunk)
        }
    }

    /// Decodes the first frame into `pixels`: RGB, [`WebP::size`], all zeros before.
    pub fn decode(&self, pixels: &mut [u8]) -> Result<(), DecodeError> {
        let (width, height) = self.size();
        let stride = 3 * width as usize;
        if Some(pixels.len()) != stride.checked_mul(height as usize) {
            return Err(DecodeError::new("the buffer is not of the size of the picture"));
        }
        let mut frame = MaybeUninit::<sys::WebPIterator>::zeroed();
        // SAFETY: the iterator is written before it is read where the call says that there is a frame.
        let frame = unsafe {
            if sys::WebPDemuxGetFrame(self.demuxer, 1, frame.as_mut_ptr()) == 0 {
                return Err(DecodeError::new("it has no picture"));
            }
            frame.assume_init()
        };
        let mut frame = Frame(frame);
        frame.decode(pixels, stride, self.bytes)
    }
}

impl Drop for WebP<'_> {
    fn drop(&mut self) {
        // SAFETY: made by `open`, and not used after this.
        unsafe { sys::WebPDemuxDelete(self.demuxer) }
    }
}

/// A frame's place on the canvas and its compressed data; gives the iterator's memory back.
struct Frame(sys::WebPIterator);

impl Frame {
    fn decode(&mut self, pixels: &mut [u8], stride: usize, bytes: &[u8]) -> Result<(), DecodeError> {
        let unsigned = |value: i32| usize::try_from(value).unwrap_or(usize::MAX);
        let [x, y, width, height] =
            [self.0.x_offset, self.0.y_offset, self.0.width, self.0.height].map(unsigned);
        // The demuxer has checked that the frame lies on the canvas and its data in the file; what is written where depends
        // on it, so it is not believed.
        let start = y.checked_mul(stride).and_then(|row| row.checked_add(x.checked_mul(3)?));
        let end = start.and_then(|start| {
            height.checked_sub(1)?.checked_mul(stride)?.checked_add(width.checked_mul(3)?)?.checked_add(start)
        });
        let (Some(start), Some(end)) = (start, end) else { return Err(outside()) };
        let fits = x.saturating_add(width).saturating_mul(3) <= stride && end <= pixels.len();
        let within = bytes.as_ptr_range().contains(&self.0.fragment.bytes);
        if !fits || !within {
            return Err(outside());
        }
        let room = &mut pixels[start..end];
        let mut config =
            sys::WebPDecoderConfig::new().map_err(|()| DecodeError::new("libwebp is of another version"))?;
        config.output.colorspace = sys::WEBP_CSP_MODE::MODE_RGB;
        config.output.is_external_memory = 1;
        config.output.u.RGBA = sys::WebPRGBABuffer {
            rgba: room.as_mut_ptr(),
            stride: i32::try_from(stride).map_err(|_| outside())?,
            // libwebp asks for whole rows but for the last one, which is as long as the frame is wide.
            size: room.len(),
        };
        // SAFETY: the fragment lies in the file, which is borrowed for as long; the output is `room`, whose length and stride
        // libwebp checks against the size that the bitstream has itself.
        let status = unsafe { sys::WebPDecode(self.0.fragment.bytes, self.0.fragment.size, &raw mut config) };
        match status {
            sys::VP8StatusCode::VP8_STATUS_OK => Ok(()),
            sys::VP8StatusCode::VP8_STATUS_SUSPENDED | sys::VP8StatusCode::VP8_STATUS_NOT_ENOUGH_DATA => {
                Err(DecodeError::new("its data end too early"))
            }
            sys::VP8StatusCode::VP8_STATUS_OUT_OF_MEMORY => Err(DecodeError::new("memory ran out")),
            _ => Err(DecodeError::new("its data are damaged")),
        }
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        // SAFETY: the iterator was filled by WebPDemuxGetFrame.
        unsafe { sys::WebPDemuxReleaseIterator(&raw mut self.0) }
    }
}

fn outside() -> DecodeError {
    DecodeError::new("its frame lies outside of its canvas")
}
