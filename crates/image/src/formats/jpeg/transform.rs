//! The lossless transform: a JPEG's coefficients, untouched, coded anew.
//!
//! The re-writer compares the coefficients that were read with those that are read back, by a digest of each. Nothing
//! else of them is kept, so that checking takes no memory.
#![expect(unsafe_code, reason = "libjpeg-turbo is a C library; each block says why it is sound")]

use std::ffi::{c_int, c_short};
use std::ptr;
use std::slice;

use headwater_types::ByteCount;
use turbojpeg::raw;

use super::decoder;
use super::frame::Frame;
use super::handle::{Handle, Purpose};

/// All coefficients of a JPEG, and how its planes are laid out, as one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Coefficients(blake3::Hash);

/// Digests coefficients, plane after plane, row of blocks after row.
#[derive(Default)]
struct Digest(blake3::Hasher);

/// Why a JPEG was not transformed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TransformError {
    /// libjpeg warned of the JPEG: its coefficients may be guesses.
    Warned,
    /// The result would not fit in its room.
    NoRoom,
    /// libjpeg could not read the JPEG, or cannot write it.
    Failed,
}

/// A JPEG to be read: how many scans it has, and how much memory that may take.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    pub(super) jpeg: &'a [u8],
    pub(super) scans: u32,
    pub(super) memory: ByteCount,
}

/// Side of a block.
const BLOCK: usize = 8;
/// libjpeg's `JERR_BUFFER_SIZE`.
const NO_ROOM: &str = "Buffer passed to JPEG library is too small";

// === impl Input ===

impl Input<'_> {
    /// The same coefficients as a sequential Huffman-coded JPEG of one scan, with tables made for it, a restart marker
    /// behind every `interval` MCUs, no metadata, and at most `room` bytes.
    pub(super) fn with_restarts(self, interval: u32, room: usize) -> Result<(Vec<u8>, Coefficients), TransformError> {
        let mut out = vec![0; room];
        let options = raw::TJXOPT_COPYNONE | raw::TJXOPT_OPTIMIZE;
        let mut digest = Digest::default();
        let length = self.transform(options, interval, &mut out, Some(&mut digest))?;
        out.truncate(length);
        out.shrink_to_fit();
        Ok((out, digest.finish()))
    }

    /// All coefficients: as our own decoder reads them, or else as libjpeg does.
    pub(super) fn coefficients(self) -> Result<Coefficients, TransformError> {
        match self.own_coefficients() {
            Some(coefficients) => Ok(coefficients),
            None => self.turbo_coefficients(),
        }
    }

    /// All coefficients as our own decoder reads them; `None` where it does not take the JPEG.
    pub(super) fn own_coefficients(self) -> Option<Coefficients> {
        let frame = Frame::read(self.jpeg).ok()?;
        let mut digest = Digest::default();
        decoder::coefficients(self.jpeg, &frame, |component, size, row, coefficients| {
            digest.add(component, (size.0 * BLOCK, size.1 * BLOCK), row, coefficients);
        })?;
        Some(digest.finish())
    }

    /// All coefficients as libjpeg reads them.
    pub(super) fn turbo_coefficients(self) -> Result<Coefficients, TransformError> {
        let mut digest = Digest::default();
        self.transform(raw::TJXOPT_NOOUTPUT, 0, &mut [], Some(&mut digest))?;
        Ok(digest.finish())
    }

    /// Has libjpeg read all coefficients, and drops them.
    pub(super) fn read(self) -> Result<(), TransformError> {
        self.transform(raw::TJXOPT_NOOUTPUT, 0, &mut [], None).map(drop)
    }

    /// Writes into `out`, and gives how much; `digest` takes the coefficients.
    fn transform(
        self,
        options: u32,
        interval: u32,
        out: &mut [u8],
        digest: Option<&mut Digest>,
    ) -> Result<usize, TransformError> {
        let failed = |_| TransformError::Failed;
        let side = |number: u32| c_int::try_from(number).unwrap_or(-1);
        let mut handle = Handle::new(Purpose::Transform, self.scans, self.memory).map_err(failed)?;
        handle.set(raw::TJPARAM_TJPARAM_NOREALLOC, 1).map_err(failed)?;
        handle.set(raw::TJPARAM_TJPARAM_RESTARTBLOCKS, side(interval)).map_err(failed)?;
        let filtered = digest.is_some();
        let job = raw::tjtransform {
            r: raw::tjregion { x: 0, y: 0, w: 0, h: 0 },
            op: raw::TJXOP_TJXOP_NONE as c_int,
            options: side(options),
            data: digest.map_or(ptr::null_mut(), |digest| ptr::from_mut(digest).cast()),
            customFilter: if filtered { Some(absorb) } else { None },
        };
        let mut target = out.as_mut_ptr();
        let mut length = out.len() as raw::size_t;
        // SAFETY: the handle is live and `jpeg` a readable slice of that length. There is one job, one target and one
        // length, all alive during the call. The library neither frees nor replaces the target, as `NOREALLOC` is set,
        // and writes at most `length` bytes to it, or fails; without output it does not touch it. The filter gets the
        // digest through the job, and nothing else uses it meanwhile.
        let status = unsafe {
            raw::tj3Transform(
                handle.raw(),
                self.jpeg.as_ptr(),
                self.jpeg.len() as raw::size_t,
                1,
                &raw mut target,
                &raw mut length,
                &raw const job,
            )
        };
        match handle.check(status) {
            Ok(None) if length as usize <= out.len() => Ok(length as usize),
            Ok(Some(_)) => Err(TransformError::Warned),
            Err(message) if message == NO_ROOM => Err(TransformError::NoRoom),
            Ok(None) | Err(_) => Err(TransformError::Failed),
        }
    }
}

// === impl Digest ===

impl Digest {
    fn add(&mut self, component: usize, size: (usize, usize), row: usize, coefficients: &[i16]) {
        if row == 0 {
            for number in [component, size.0, size.1] {
                self.0.update(&(number as u64).to_le_bytes());
            }
        }
        self.0.update(bytemuck::cast_slice(coefficients));
    }

    fn finish(&self) -> Coefficients {
        Coefficients(self.0.finalize())
    }
}

/// Takes a row of blocks into the digest: the library calls it for each, component after component.
unsafe extern "C" fn absorb(
    coefficients: *mut c_short,
    row: raw::tjregion,
    plane: raw::tjregion,
    component: c_int,
    _: c_int,
    job: *mut raw::tjtransform,
) -> c_int {
    // Rows of blocks that only fill up the last row of MCUs make no pixel, and encoders write different things there.
    if row.y >= plane.h {
        return 0;
    }
    let numbers = [row.w, row.h, row.y, plane.w, plane.h, component].map(usize::try_from);
    let [Ok(width), Ok(height), Ok(y), Ok(across), Ok(down), Ok(component)] = numbers else { return -1 };
    if coefficients.is_null() || job.is_null() {
        return -1;
    }
    // SAFETY: the library hands over `w` x `h` coefficients that stay as they are during the call, and the job that it
    // was called with, whose data is the digest.
    let (coefficients, digest) = unsafe {
        let data = ptr::read(job).data;
        (slice::from_raw_parts(coefficients, width * height), &mut *data.cast::<Digest>())
    };
    digest.add(component, (across, down), y / BLOCK, coefficients);
    0
}
