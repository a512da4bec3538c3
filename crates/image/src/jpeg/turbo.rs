//! The only unsafe code of the project: calls into libjpeg-turbo's TurboJPEG interface.
//!
//! Invariant: a decompressor decodes one picture and is thrown away. libjpeg keeps quantisation and Huffman tables from
//! one picture to the next, and after an error even half a header: a photo without tables of its own would come out
//! differently depending on what the thread decoded before it. A new one costs about a microsecond.
//!
//! Why not the `turbojpeg` crate's own wrapper: it takes every warning for an error, and Pillow does not.
#![expect(unsafe_code, reason = "libjpeg-turbo is a C library; each block says why it is sound")]

use std::ffi::{CStr, c_int, c_void};
use std::ptr::NonNull;

use headwater_types::{ByteCount, Size};
use turbojpeg::raw;

use super::first_rows;
use crate::error::ImageError;
use crate::format::Format;

/// How libjpeg-turbo lays pixels out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// 3 bytes a pixel.
    Rgb,
    /// 4 bytes a pixel, as stored.
    Cmyk,
}

/// A decompressor for one picture.
pub(super) struct Decompressor(NonNull<c_void>);

/// Messages that libjpeg gives as warnings (`JWRN_*` in its jerror.h); all others are errors. They are told apart by text
/// because the interface's own flag stays at "warning" when an error follows one. An unknown message is an error.
const WARNINGS: [&str; 6] = [
    "Corrupt JPEG data: ",
    "Inconsistent progression sequence for ",
    "Invalid SOS parameters for sequential JPEG",
    "Premature end of JPEG file",
    "Unknown Adobe color transform code ",
    "Warning: ",
];

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

impl Decompressor {
    /// For a picture of so many scans, in so much memory: what the header promised is held against the decoder.
    pub(super) fn new(scans: u32, memory: ByteCount) -> Result<Self, ImageError> {
        // SAFETY: takes no pointer; a null result is checked right here.
        let handle = unsafe { raw::tj3Init(raw::TJINIT_TJINIT_DECOMPRESS as c_int) };
        let handle = NonNull::new(handle.cast()).ok_or_else(|| malformed("no memory for a decoder".to_owned()))?;
        let mut this = Self(handle);
        let mebibytes = memory.get().div_ceil(1 << 20);
        this.set(raw::TJPARAM_TJPARAM_SCANLIMIT, c_int::try_from(scans).unwrap_or(c_int::MAX))?;
        this.set(raw::TJPARAM_TJPARAM_MAXMEMORY, c_int::try_from(mebibytes).unwrap_or(c_int::MAX))?;
        Ok(this)
    }

    /// Decodes the first `rows` rows (at least) of a picture of this size into the front of `out`, which has room for
    /// all of them. Gives libjpeg's last warning.
    pub(super) fn decode(
        &mut self,
        jpeg: &[u8],
        size: Size,
        rows: u32,
        layout: Layout,
        out: &mut [u8],
    ) -> Result<Option<String>, ImageError> {
        let pitch = size.width as usize * layout.bytes();
        if out.len() < pitch * size.height as usize || rows == 0 || rows > size.height {
            return Err(malformed(format!("{} bytes are no room for {rows} rows of {size:?}", out.len())));
        }
        let pitch = c_int::try_from(pitch).map_err(|_| malformed("its rows are too long".to_owned()))?;
        let length = jpeg.len() as raw::size_t;
        // SAFETY: the handle is live, and `jpeg` is a readable slice of that length, which outlives the call.
        let status = unsafe { raw::tj3DecompressHeader(self.raw(), jpeg.as_ptr(), length) };
        self.check(status)?;
        let seen = (self.get(raw::TJPARAM_TJPARAM_JPEGWIDTH), self.get(raw::TJPARAM_TJPARAM_JPEGHEIGHT));
        if (i64::from(seen.0), i64::from(seen.1)) != (size.width.into(), size.height.into()) {
            return Err(malformed(format!("its frame header can be read as {size:?} and as {seen:?}")));
        }
        if rows < size.height {
            self.keep_top(first_rows(size, rows));
        }
        // SAFETY: the handle is live and `jpeg` as above. The picture is `size`: the call reads the same immutable bytes
        // as the header call did, whose answer was compared. It writes at most `size.height` rows (fewer, where the top
        // was asked for) of `size.width` pixels of the layout, `pitch` bytes apart, and `out` was checked to hold them.
        let status =
            unsafe { raw::tj3Decompress8(self.raw(), jpeg.as_ptr(), length, out.as_mut_ptr(), pitch, layout.code()) };
        self.check(status)
    }

    /// Leaves rows below `top` undecoded. A sampling that the interface has no name for cannot be cut: then all are
    /// decoded, which is what was promised.
    fn keep_top(&mut self, top: Size) {
        let side = |length: u32| c_int::try_from(length).unwrap_or(0);
        let region = raw::tjregion { x: 0, y: 0, w: side(top.width), h: side(top.height) };
        // SAFETY: the handle is live, and the region is passed by value. On failure the handle keeps its former region,
        // the whole picture.
        unsafe { raw::tj3SetCroppingRegion(self.raw(), region) };
    }

    fn set(&mut self, parameter: raw::TJPARAM, value: c_int) -> Result<(), ImageError> {
        // SAFETY: the handle is live; any parameter and value are allowed, and a bad pair is answered by an error.
        let status = unsafe { raw::tj3Set(self.raw(), parameter as c_int, value) };
        self.check(status).map(drop)
    }

    fn get(&mut self, parameter: raw::TJPARAM) -> c_int {
        // SAFETY: the handle is live, and any parameter is allowed.
        unsafe { raw::tj3Get(self.raw(), parameter as c_int) }
    }

    /// The outcome of a call: nothing, its last warning, or its error.
    fn check(&mut self, status: c_int) -> Result<Option<String>, ImageError> {
        if status == 0 {
            return Ok(None);
        }
        // SAFETY: the handle is live, and answers with a NUL-terminated string inside itself, which is copied before any
        // other call could change it.
        let message = unsafe { CStr::from_ptr(raw::tj3GetErrorStr(self.raw())) }.to_string_lossy().into_owned();
        if WARNINGS.iter().any(|warning| message.starts_with(warning)) {
            return Ok(Some(message));
        }
        Err(malformed(message))
    }

    fn raw(&mut self) -> raw::tjhandle {
        self.0.as_ptr().cast()
    }
}

impl Drop for Decompressor {
    fn drop(&mut self) {
        // SAFETY: the handle came from tj3Init, and nothing uses it after this.
        unsafe { raw::tj3Destroy(self.raw()) };
    }
}

fn malformed(reason: String) -> ImageError {
    ImageError::Malformed { format: Format::Jpeg, reason }
}
