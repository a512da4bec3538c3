//! A handle of libjpeg-turbo's TurboJPEG interface.
//!
//! Invariant: a handle works on one picture and is thrown away. libjpeg keeps quantisation and Huffman tables from one
//! picture to the next, and after an error even half a header: the pixels of a photo without tables of its own would
//! depend on the photo before it. A new handle costs about a microsecond.
#![expect(unsafe_code, reason = "libjpeg-turbo is a C library; each block says why it is sound")]

use std::ffi::{CStr, c_int, c_void};
use std::ptr::NonNull;

use headwater_types::ByteCount;
use turbojpeg::raw;

/// A live handle of the library.
pub(super) struct Handle(NonNull<c_void>);

/// The purpose of a handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To make pixels.
    Decompress,
    /// To write the same coefficients in another form.
    Transform,
}

/// Messages that libjpeg gives as warnings (`JWRN_*` in its jerror.h); all others are errors. They are told apart by
/// text because the interface's own flag stays at "warning" when an error follows one. An unknown message is an error.
const WARNINGS: [&str; 6] = [
    "Corrupt JPEG data: ",
    "Inconsistent progression sequence for ",
    "Invalid SOS parameters for sequential JPEG",
    "Premature end of JPEG file",
    "Unknown Adobe color transform code ",
    "Warning: ",
];

// === impl Handle ===

impl Handle {
    /// A handle for a picture of so many scans, in so much memory. The library refuses a picture that exceeds them.
    pub(super) fn new(purpose: Purpose, scans: u32, memory: ByteCount) -> Result<Self, String> {
        let code = match purpose {
            Purpose::Decompress => raw::TJINIT_TJINIT_DECOMPRESS,
            Purpose::Transform => raw::TJINIT_TJINIT_TRANSFORM,
        };
        // SAFETY: takes no pointer; a null result is checked right here.
        let handle = unsafe { raw::tj3Init(code as c_int) };
        let handle = NonNull::new(handle.cast()).ok_or_else(|| "no memory for libjpeg-turbo".to_owned())?;
        let mut this = Self(handle);
        let mebibytes = memory.get().div_ceil(1 << 20);
        this.set(raw::TJPARAM_TJPARAM_SCANLIMIT, c_int::try_from(scans).unwrap_or(c_int::MAX))?;
        this.set(raw::TJPARAM_TJPARAM_MAXMEMORY, c_int::try_from(mebibytes).unwrap_or(c_int::MAX))?;
        Ok(this)
    }

    pub(super) fn set(&mut self, parameter: raw::TJPARAM, value: c_int) -> Result<(), String> {
        // SAFETY: the handle is live; any parameter and value are allowed, and a bad pair is answered by an error.
        let status = unsafe { raw::tj3Set(self.raw(), parameter as c_int, value) };
        self.check(status).map(drop)
    }

    pub(super) fn get(&mut self, parameter: raw::TJPARAM) -> c_int {
        // SAFETY: the handle is live, and any parameter is allowed.
        unsafe { raw::tj3Get(self.raw(), parameter as c_int) }
    }

    /// The outcome of a call: success, with libjpeg's last warning, or an error.
    pub(super) fn check(&mut self, status: c_int) -> Result<Option<String>, String> {
        if status == 0 {
            return Ok(None);
        }
        // SAFETY: the handle is live, and answers with a NUL-terminated string inside itself, which is copied before
        // any other call could change it.
        let message = unsafe { CStr::from_ptr(raw::tj3GetErrorStr(self.raw())) }.to_string_lossy().into_owned();
        if WARNINGS.iter().any(|warning| message.starts_with(warning)) {
            return Ok(Some(message));
        }
        Err(message)
    }

    /// The library's handle, which lives as long as `self`.
    pub(super) fn raw(&mut self) -> raw::tjhandle {
        self.0.as_ptr().cast()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle came from tj3Init, and nothing uses it after this.
        unsafe { raw::tj3Destroy(self.raw()) };
    }
}
