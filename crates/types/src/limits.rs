//! Limits of one photo: a server's own, and those that a client holds what it gets against.
//!
//! A server announces its limits to its clients, and a client takes them, each up to its own. So what may be raised is
//! raised at the server alone, a photo fails for the same reason at every cut, and a client that is given a lower limit
//! keeps it.

use crate::caps::{
    CLIENT_TRUST, MAX_DIMENSION, MAX_MESSAGE, MAX_OBJECT, MAX_PIXELS, MAX_SAMPLE_MEMORY, MAX_SCAN_PIXELS, MAX_SCANS,
    MESSAGE_ENVELOPE,
};
use crate::units::ByteCount;

/// Limits that apply to one image before any of its pixels are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageLimits {
    /// Longest side, in pixels.
    pub max_dimension: u32,
    /// Width x height.
    pub max_pixels: u64,
    /// Encoded size.
    pub max_object: ByteCount,
    /// Peak memory while it is worked on, estimated from the header.
    pub max_sample_memory: ByteCount,
    /// Scans of a progressive JPEG.
    pub max_scans: u32,
    /// Pixels x scans of a progressive JPEG.
    pub max_scan_pixels: u64,
}

/// A limit that can be moved, and by which setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitSetting {
    /// [`ImageLimits::max_dimension`].
    Dimension,
    /// [`ImageLimits::max_pixels`].
    Pixels,
    /// [`ImageLimits::max_object`].
    Object,
    /// [`ImageLimits::max_sample_memory`].
    SampleMemory,
    /// [`ImageLimits::max_scans`].
    Scans,
    /// [`ImageLimits::max_scan_pixels`].
    ScanPixels,
}

/// The limits of what comes from one server: the limits that it announces, and the client's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgreedLimits {
    /// The limits that the server announces.
    pub announced: ImageLimits,
    /// The limits that the client sets itself.
    pub own: ImageLimits,
}

// === impl ImageLimits ===

impl Default for ImageLimits {
    fn default() -> Self {
        Self {
            max_dimension: MAX_DIMENSION,
            max_pixels: MAX_PIXELS,
            max_object: MAX_OBJECT,
            max_sample_memory: MAX_SAMPLE_MEMORY,
            max_scans: MAX_SCANS,
            max_scan_pixels: MAX_SCAN_PIXELS,
        }
    }
}

impl ImageLimits {
    /// The most that a client takes of what servers announce, where nobody has set its own limits: [`CLIENT_TRUST`]
    /// times the defaults.
    pub fn of_clients() -> Self {
        let Self { max_dimension, max_pixels, max_object, max_sample_memory, max_scans, max_scan_pixels } =
            Self::default();
        let factor = u64::from(CLIENT_TRUST);
        Self {
            max_dimension: max_dimension.saturating_mul(CLIENT_TRUST),
            max_pixels: max_pixels.saturating_mul(factor),
            max_object: ByteCount::new(max_object.get().saturating_mul(factor)),
            max_sample_memory: ByteCount::new(max_sample_memory.get().saturating_mul(factor)),
            max_scans: max_scans.saturating_mul(CLIENT_TRUST),
            max_scan_pixels: max_scan_pixels.saturating_mul(factor),
        }
    }

    /// Of each limit the lower.
    pub fn lower(self, other: Self) -> Self {
        Self {
            max_dimension: self.max_dimension.min(other.max_dimension),
            max_pixels: self.max_pixels.min(other.max_pixels),
            max_object: self.max_object.min(other.max_object),
            max_sample_memory: self.max_sample_memory.min(other.max_sample_memory),
            max_scans: self.max_scans.min(other.max_scans),
            max_scan_pixels: self.max_scan_pixels.min(other.max_scan_pixels),
        }
    }

    /// Most bytes of a sample's payload, whatever its cut: no more than is read or made of one, and no more than fits
    /// into a message.
    pub fn max_payload(&self) -> ByteCount {
        let fits = ByteCount::new(MAX_MESSAGE.get() - MESSAGE_ENVELOPE.get());
        self.max_object.max(self.max_sample_memory).min(fits)
    }

    /// Moves one of them.
    pub fn set(&mut self, setting: LimitSetting, value: u64) {
        let short = u32::try_from(value).unwrap_or(u32::MAX);
        match setting {
            LimitSetting::Dimension => self.max_dimension = short,
            LimitSetting::Pixels => self.max_pixels = value,
            LimitSetting::Object => self.max_object = ByteCount::new(value),
            LimitSetting::SampleMemory => self.max_sample_memory = ByteCount::new(value),
            LimitSetting::Scans => self.max_scans = short,
            LimitSetting::ScanPixels => self.max_scan_pixels = value,
        }
    }

    fn of(&self, setting: LimitSetting) -> u64 {
        match setting {
            LimitSetting::Dimension => self.max_dimension.into(),
            LimitSetting::Pixels => self.max_pixels,
            LimitSetting::Object => self.max_object.get(),
            LimitSetting::SampleMemory => self.max_sample_memory.get(),
            LimitSetting::Scans => self.max_scans.into(),
            LimitSetting::ScanPixels => self.max_scan_pixels,
        }
    }
}

// === impl LimitSetting ===

impl LimitSetting {
    /// Every limit.
    pub const ALL: [Self; 6] =
        [Self::Dimension, Self::Pixels, Self::Object, Self::SampleMemory, Self::Scans, Self::ScanPixels];

    /// The flag that moves it, of servers and of clients.
    pub const fn flag(self) -> &'static str {
        match self {
            Self::Dimension => "--max-dimension",
            Self::Pixels => "--max-pixels",
            Self::Object => "--max-object-bytes",
            Self::SampleMemory => "--max-sample-memory",
            Self::Scans => "--max-scans",
            Self::ScanPixels => "--max-scan-pixels",
        }
    }

    /// The setting's name in Python's `headwater.Limits`.
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Dimension => "max_dimension",
            Self::Pixels => "max_pixels",
            Self::Object => "max_object_bytes",
            Self::SampleMemory => "max_sample_memory",
            Self::Scans => "max_scans",
            Self::ScanPixels => "max_scan_pixels",
        }
    }
}

// === impl AgreedLimits ===

impl AgreedLimits {
    /// The limits that hold: of each setting the lower one.
    pub fn limits(&self) -> ImageLimits {
        self.announced.lower(self.own)
    }

    /// Whether the server's limit holds for this setting, and not the client's.
    pub fn is_servers(&self, setting: LimitSetting) -> bool {
        self.announced.of(setting) <= self.own.of(setting)
    }

    /// Where this limit is raised, in words that follow on its flag.
    pub fn place(&self, setting: LimitSetting) -> String {
        match self.is_servers(setting) {
            true => "at the server".to_owned(),
            false => format!("here, at the client (in Python limits=headwater.Limits({}=...))", setting.keyword()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_takes_a_servers_limits_up_to_its_own() {
        let defaults = ImageLimits::default();
        let announced = ImageLimits { max_pixels: 10 * MAX_PIXELS, max_scans: 7, ..defaults };
        let open = AgreedLimits { announced, own: ImageLimits::of_clients() };
        assert_eq!(open.limits(), announced);
        assert_eq!(open.place(LimitSetting::Pixels), "at the server");
        let strict = AgreedLimits { announced, own: ImageLimits { max_pixels: 5, ..ImageLimits::of_clients() } };
        assert_eq!(strict.limits(), ImageLimits { max_pixels: 5, ..announced });
        assert!(strict.place(LimitSetting::Pixels).contains("headwater.Limits(max_pixels=...)"));
        assert_eq!(strict.place(LimitSetting::Scans), "at the server");
    }

    #[test]
    fn no_payload_is_larger_than_a_message_can_be() {
        let most = ImageLimits { max_sample_memory: ByteCount::new(u64::MAX), ..ImageLimits::default() };
        assert_eq!(most.max_payload().get() + MESSAGE_ENVELOPE.get(), u64::from(u32::MAX));
        assert_eq!(ImageLimits::default().max_payload(), MAX_SAMPLE_MEMORY);
    }
}
