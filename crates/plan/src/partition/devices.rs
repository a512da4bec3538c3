//! What an image takes of a server whose devices, and not its cores, run the front of the network.

use headwater_types::{PixelCoding, Way};

use super::error::PartitionError;
use super::profile::{BatchCost, CutCosts, NetworkProfile};

/// How the fronts of a profile run on devices.
///
/// A device's rate is of the whole network. Of that time a front takes its part: as it was measured on devices, else as
/// large a part as it takes of a core's time for the whole network, which is an estimate.
#[derive(Clone, Copy, Debug)]
pub(super) enum OnDevices {
    /// The servers of the profile ran them on devices, which took these seconds for the whole network.
    Measured { whole: f64 },
    /// Cores ran them: seconds of one to the network's input, and for the whole network behind it.
    Estimated { pixels: f64, whole: f64 },
}

/// What an image takes where devices run its front.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct DeviceCost {
    /// CPU seconds beside the device.
    pub(super) host: f64,
    /// The front's part of a device's time for the whole network.
    pub(super) part: f64,
}

// === impl OnDevices ===

impl OnDevices {
    /// # Errors
    /// The profile does not say what the whole network takes, or what comes before it.
    pub(super) fn of(profile: &NetworkProfile) -> Result<Self, PartitionError> {
        let features = profile.cuts.iter().find(|cut| cut.way() == Some(Way::FEATURES));
        let features = features.ok_or(PartitionError::NoDeviceTimes)?;
        let basis = match features.device_seconds {
            Some(whole) => Self::Measured { whole },
            None => {
                let pixels = pixels(profile).ok_or(PartitionError::NoDeviceTimes)?;
                Self::Estimated { pixels, whole: features.server_seconds - pixels }
            }
        };
        let (Self::Measured { whole } | Self::Estimated { whole, .. }) = basis;
        if whole > 0.0 { Ok(basis) } else { Err(PartitionError::NoDeviceTimes) }
    }

    /// Whether parts are estimated, and were not measured.
    pub(super) fn is_estimated(self) -> bool {
        matches!(self, Self::Estimated { .. })
    }

    /// What an image takes by a cut, in such batches; `None` where nobody has measured that.
    pub(super) fn cost(self, cut: &CutCosts, of: &BatchCost) -> Option<DeviceCost> {
        if cut.is_of_pixels() {
            return Some(DeviceCost { host: of.server_seconds, part: 0.0 });
        }
        match self {
            Self::Measured { whole } => {
                cut.device_seconds.map(|seconds| DeviceCost { host: of.server_seconds, part: seconds / whole })
            }
            Self::Estimated { pixels, whole } => Some(DeviceCost {
                host: of.server_seconds.min(pixels),
                part: (cut.server_seconds - pixels).max(0.0) / whole,
            }),
        }
    }
}

// === impl NetworkProfile ===

impl NetworkProfile {
    /// Images a second of one of the devices that ran the whole network; `None` where cores did.
    pub fn device_rate(&self) -> Option<f64> {
        let features = self.cuts.iter().find(|cut| cut.way() == Some(Way::FEATURES));
        features.and_then(|features| features.device_seconds).filter(|seconds| *seconds > 0.0).map(f64::recip)
    }

    /// CPU seconds that an image takes by a cut at a server whose devices run the front: those beside the devices. As
    /// they were measured where nothing else is known.
    pub fn host_seconds(&self, cut: &CutCosts) -> f64 {
        let of = BatchCost { batch: 1, server_seconds: cut.server_seconds };
        let cost = OnDevices::of(self).ok().and_then(|on_devices| on_devices.cost(cut, &of));
        cost.map_or(cut.server_seconds, |cost| cost.host)
    }
}

/// CPU seconds of a server to the network's input: those of the last of the recipe's ways that is not coded.
fn pixels(profile: &NetworkProfile) -> Option<f64> {
    let ways = profile.cuts.iter().filter_map(|cut| Some((cut.way()?, cut.server_seconds)));
    let made = ways.filter(|(way, _)| way.is_offloaded() && !way.is_features() && way.pixels() == PixelCoding::Raw);
    made.max_by_key(|(way, _)| *way).map(|(_, seconds)| seconds)
}
