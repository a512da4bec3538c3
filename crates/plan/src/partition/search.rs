//! The search through every cut, batch and number of servers.

use super::choice::Choice;
use super::devices::OnDevices;
use super::error::PartitionError;
use super::fleet::Fleet;
use super::profile::{CutCosts, NetworkProfile};
use super::stages::{ImageCost, Servers};

/// The shortest epoch, and those beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Partition {
    /// The choice of the shortest epoch; of equal ones that of the fewest servers, then of the fewest bytes.
    pub best: Choice,
    /// The best choice for each number of servers, from 1; those are missing for which no cut can be used.
    pub by_servers: Vec<Choice>,
    /// The best choice for each cut of the profile that can be used, in the profile's order, coded or not, with any
    /// number of servers.
    pub by_cut: Vec<Choice>,
    /// The smallest number of servers from which on no larger number shortens the epoch by as much as was asked for.
    pub enough: usize,
    /// Whether the time of devices is estimated: servers have some, and the profile was measured on cores.
    pub estimated: bool,
}

/// Plans an epoch of so many images. `worth`: a part of an epoch, from 0 up to 1; more servers that shorten it by less
/// than that do not help.
///
/// # Errors
/// A fleet without servers or with shares that are none, no images, and a profile no cut of which can be used; devices
/// of which the profile does not say what they take, and a profile of devices for a server that has none.
pub fn partition(
    profile: &NetworkProfile,
    fleet: &Fleet,
    images: u64,
    worth: f64,
) -> Result<Partition, PartitionError> {
    fleet.check()?;
    if images == 0 {
        return Err(PartitionError::NoImages);
    }
    let on_devices = on_devices(profile, fleet)?;
    let servers = Servers::all(fleet);
    let mut by_servers: Vec<Option<Choice>> = vec![None; servers.len()];
    let mut by_cut = Vec::new();
    for cut in &profile.cuts {
        let mut of_cut = None;
        let mut take = |choice: Choice| {
            better(&mut by_servers[choice.servers - 1], &choice);
            better(&mut of_cut, &choice);
        };
        ImageCost::all(cut, on_devices).for_each(|cost| of_fleet(fleet, &servers, images, (cut, cost), &mut take));
        by_cut.extend(of_cut);
    }
    let by_servers: Vec<_> = by_servers.into_iter().flatten().collect();
    let mut best = None;
    by_servers.iter().for_each(|choice| better(&mut best, choice));
    let best = best.ok_or(PartitionError::NoWay)?;
    let enough = enough(&by_servers, worth).unwrap_or(best.servers);
    let estimated = on_devices.is_some_and(OnDevices::is_estimated);
    Ok(Partition { best, by_servers, by_cut, enough, estimated })
}

/// How fronts run on the fleet's devices, where it has some.
fn on_devices(profile: &NetworkProfile, fleet: &Fleet) -> Result<Option<OnDevices>, PartitionError> {
    if profile.is_of_devices() {
        let without = fleet.servers.iter().position(|server| server.resources.devices.is_none());
        without.map_or(Ok(()), |place| Err(PartitionError::NoDevices { place }))?;
    }
    fleet.has_devices().then(|| OnDevices::of(profile)).transpose()
}

/// Gives the epoch of a way for each number of servers, as long as each of them has the memory.
fn of_fleet(
    fleet: &Fleet,
    servers: &[Servers],
    images: u64,
    (cut, (coded, cost)): (&CutCosts, (bool, ImageCost)),
    take: &mut impl FnMut(Choice),
) {
    let total = images as f64;
    for (place, (server, first)) in fleet.servers.iter().zip(servers).enumerate() {
        if !cost.fits(server) {
            return;
        }
        let Some((stages, waits_for)) = first.epoch(fleet, total, &cost) else { continue };
        let epoch = stages.epoch();
        take(Choice {
            cut: cut.cut.clone(),
            coded,
            bytes: cost.bytes,
            batch: cost.batch,
            servers: place + 1,
            epoch_seconds: epoch,
            seconds_per_image: epoch / total,
            images_per_second: (epoch > 0.0).then(|| total / epoch),
            stages,
            waits_for,
        });
    }
}

/// Takes a choice in the place of another, where it is better.
fn better(place: &mut Option<Choice>, choice: &Choice) {
    let order = |choice: &Choice| (choice.epoch_seconds, choice.servers as f64, choice.bytes);
    if place.as_ref().is_none_or(|taken| order(choice) < order(taken)) {
        *place = Some(choice.clone());
    }
}

/// The smallest number of servers from which on no larger one is worth it.
fn enough(by_servers: &[Choice], worth: f64) -> Option<usize> {
    let mut least = f64::INFINITY;
    let mut enough = None;
    for choice in by_servers.iter().rev() {
        let helps = least < choice.epoch_seconds * (1.0 - worth);
        enough = if helps { enough } else { Some(choice.servers) };
        least = least.min(choice.epoch_seconds);
    }
    enough
}
