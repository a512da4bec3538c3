//! What `profiler explain` says of a sample.

use std::fmt;

use headwater_plan::explain::Seconds;
use headwater_plan::{Explanation, ResourceTime, Server};
use headwater_types::key;
use serde::Serialize;
use serde_json::{Value, json};

use super::report::{bytes, name};

/// Why a sample travels as it does.
pub(crate) struct Explained {
    pub(super) explanation: Explanation,
    pub(super) prices: Vec<ResourceTime>,
    pub(super) servers: Vec<Server>,
}

// === impl Explained ===

impl Explained {
    /// Resources that touch this sample and cost something.
    fn scarce(&self) -> impl Iterator<Item = &ResourceTime> {
        let own = |time: &&ResourceTime| match time.resource.server() {
            Some(place) => self.servers.get(place).is_some_and(|server| server.address == self.explanation.server),
            None => true,
        };
        self.prices.iter().filter(|time| time.price > 0.0).filter(own)
    }
}

impl Serialize for Explained {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let price =
            |time: &ResourceTime| json!({ "resource": name(time.resource, &self.servers), "price": time.price });
        let mut value = serde_json::to_value(&self.explanation).map_err(serde::ser::Error::custom)?;
        if let Value::Object(fields) = &mut value {
            fields.insert("prices".into(), self.scarce().map(price).collect());
        }
        value.serialize(serializer)
    }
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Explanation { index, key, width, height, measured, server, reason, ways, .. } = &self.explanation;
        write!(f, "sample {index}")?;
        if let Some(key) = key {
            write!(f, " {}", key::shown(key))?;
        }
        if let (Some(width), Some(height)) = (width, height) {
            write!(f, ", {width} x {height}")?;
        }
        writeln!(f, ", at {server}{}", if *measured { "" } else { " (its costs are predicted, not measured)" })?;
        let has_devices = ways
            .first()
            .is_some_and(|way| way.storage_device_seconds.is_some() || way.trainer_device_seconds.is_some());
        write!(f, "\n  {:18}  {:>12}  {:>11}  {:>11}", "way", "bytes", "storage cpu", "trainer cpu")?;
        if has_devices {
            write!(f, "  {:>14}  {:>14}", "storage device", "trainer device")?;
        }
        writeln!(f, "  {:>11}", "price")?;
        for way in ways {
            let mark = if way.way == self.explanation.way { '>' } else { ' ' };
            let price = if way.possible { Seconds(way.price).to_string() } else { "not allowed".to_owned() };
            let (storage, trainer) = (Seconds(way.storage_seconds), Seconds(way.trainer_seconds));
            write!(f, "{mark} {:18}  {:>12}  {storage:>11}  {trainer:>11}", way.way, bytes(way.bytes))?;
            if has_devices {
                let of = |seconds: Option<f64>| seconds.map_or_else(|| "-".to_owned(), |s| Seconds(s).to_string());
                let (there, here) = (of(way.storage_device_seconds), of(way.trainer_device_seconds));
                write!(f, "  {there:>14}  {here:>14}")?;
            }
            writeln!(f, "  {price:>11}")?;
        }
        writeln!(f)?;
        for time in self.scarce() {
            writeln!(
                f,
                "a second of {} is worth {:.4} s of the epoch",
                name(time.resource, &self.servers),
                time.price
            )?;
        }
        write!(f, "{reason}")
    }
}
