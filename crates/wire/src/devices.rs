//! The devices of a server that run a model, as they travel.

use headwater_types::DevicePool;

use crate::proto;
use crate::status::Invalid;

/// What a server says of the devices that run a model; `None` where cores do, and from a server that does not say.
///
/// # Errors
/// Numbers that no devices have.
pub fn devices_from(devices: Option<proto::DevicePool>) -> Result<Option<DevicePool>, Invalid> {
    let read = |proto::DevicePool { count, rate }| DevicePool::new(count, rate);
    devices.map(read).transpose().map_err(|error| Invalid::new(error.to_string()))
}

/// What a server says of the devices that run a model, for the wire.
pub fn devices_to(devices: Option<DevicePool>) -> Option<proto::DevicePool> {
    devices.map(|devices| proto::DevicePool { count: devices.count(), rate: devices.rate() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_survive_the_wire_and_what_cannot_be_is_refused() {
        for devices in [None, Some(DevicePool::new(2, 1234.5).unwrap())] {
            assert_eq!(devices_from(devices_to(devices)), Ok(devices));
        }
        for (count, rate) in [(0, 1.0), (257, 1.0), (1, 0.0), (1, -1.0), (1, f64::NAN), (1, f64::INFINITY)] {
            assert!(devices_from(Some(proto::DevicePool { count, rate })).is_err(), "{count} {rate}");
        }
    }
}
