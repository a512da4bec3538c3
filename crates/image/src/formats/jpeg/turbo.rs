//! libjpeg-turbo's decompressor.
//!
//! Invariant: a decompressor decodes one picture, or a window of it, and is thrown away.
//!
//! Why not the `turbojpeg` crate's own wrapper? It takes every warning for an error, which Pillow does not.
#![expect(unsafe_code, reason = "libjpeg-turbo is a C library; each block says why it is sound")]

use std::ffi::c_int;

use headwater_types::{ByteCount, Format, PixelBox, Scale, Size};
use turbojpeg::raw;

use super::handle::{Handle, Purpose};
use crate::error::ImageError;

/// How libjpeg-turbo lays pixels out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// 3 bytes a pixel.
    Rgb,
    /// 4 bytes a pixel, as they are stored.
    Cmyk,
}

/// A decompressor for one picture, whose header it has read.
pub(super) struct Decompressor<'a> {
    handle: Handle,
    jpeg: &'a [u8],
    window: PixelBox,
}

// === impl Layout ===

impl Layout {
    fn bytes(self) -> usize {
        match self {
            Self::Rgb => 3,
            Self::Cmyk => 4,
        }
    }

    fn code(self) -> c_int {
        match self {
            Self::Rgb => raw::TJPF_TJPF_RGB,
            Self::Cmyk => raw::TJPF_TJPF_CMYK,
        }
    }
}

// === impl Decompressor ===

impl<'a> Decompressor<'a> {
    /// A decompressor for a picture of this size and so many scans, in so much memory. The library's reading of the
    /// header must agree with ours.
    pub(super) fn open(jpeg: &'a [u8], size: Size, scans: u32, memory: ByteCount) -> Result<Self, ImageError> {
        let mut handle = Handle::new(Purpose::Decompress, scans, memory).map_err(malformed)?;
        // SAFETY: the handle is live, and `jpeg` is a readable slice of that length, which outlives the call.
        let status = unsafe { raw::tj3DecompressHeader(handle.raw(), jpeg.as_ptr(), jpeg.len() as raw::size_t) };
        handle.check(status).map_err(malformed)?;
        let seen = (handle.get(raw::TJPARAM_TJPARAM_JPEGWIDTH), handle.get(raw::TJPARAM_TJPARAM_JPEGHEIGHT));
        if (i64::from(seen.0), i64::from(seen.1)) != (size.width.into(), size.height.into()) {
            return Err(malformed(format!("its frame header can be read as {size:?} and as {seen:?}")));
        }
        Ok(Self { handle, jpeg, window: PixelBox::whole(size) })
    }

    /// Sets the fraction of its size at which the picture is decoded. It is called before [`Self::crop`].
    pub(super) fn scale(&mut self, scale: Scale, size: Size) -> Result<(), ImageError> {
        let eighths = c_int::from(scale.eighths());
        // The library knows fractions in lowest terms only.
        let shared = [8, 4, 2, 1].into_iter().find(|divisor| eighths % divisor == 0).unwrap_or(1);
        let factor = raw::tjscalingfactor { num: eighths / shared, denom: 8 / shared };
        // SAFETY: the handle is live, and the factor is passed by value; one that the library does not have is an
        // error.
        let status = unsafe { raw::tj3SetScalingFactor(self.handle.raw(), factor) };
        self.handle.check(status).map_err(malformed)?;
        self.window = PixelBox::whole(scale.size(size));
        Ok(())
    }

    /// Leaves pixels outside `window` undecoded where the library can: a picture whose sampling has no name in the
    /// interface stays whole. [`Self::window`] tells the box.
    pub(super) fn crop(&mut self, window: PixelBox) {
        if window == self.window {
            return;
        }
        let side = |length: u32| c_int::try_from(length).unwrap_or(-1);
        let PixelBox { x, y, width, height } = window;
        let region = raw::tjregion { x: side(x), y: side(y), w: side(width), h: side(height) };
        // SAFETY: the handle is live, and the region is passed by value. On failure the handle keeps its former region,
        // the whole picture.
        if unsafe { raw::tj3SetCroppingRegion(self.handle.raw(), region) } == 0 {
            self.window = window;
        }
    }

    /// The box that will be decoded.
    pub(super) fn window(&self) -> PixelBox {
        self.window
    }

    /// Decodes the window into the front of `out`. Gives libjpeg's last warning.
    pub(super) fn decode(mut self, layout: Layout, out: &mut [u8]) -> Result<Option<String>, ImageError> {
        let PixelBox { width, height, .. } = self.window;
        let pitch = width as usize * layout.bytes();
        if out.len() < pitch * height as usize {
            return Err(malformed(format!("{} bytes are no room for {width} x {height} pixels", out.len())));
        }
        let pitch = c_int::try_from(pitch).map_err(|_| malformed("its rows are too long".to_owned()))?;
        let (bytes, length) = (self.jpeg.as_ptr(), self.jpeg.len() as raw::size_t);
        // SAFETY: the handle is live and `jpeg` a readable slice of that length. The picture has the size that the
        // window lies in: the call reads the same immutable bytes as the header call did, whose answer was compared. It
        // writes the window, `height` rows of `width` pixels of the layout, `pitch` bytes apart, and `out` was checked
        // to hold them; where the window cannot be had at this width or place, the call fails before it writes.
        let status =
            unsafe { raw::tj3Decompress8(self.handle.raw(), bytes, length, out.as_mut_ptr(), pitch, layout.code()) };
        self.handle.check(status).map_err(malformed)
    }
}

fn malformed(reason: String) -> ImageError {
    ImageError::Malformed { format: Format::Jpeg, reason }
}
