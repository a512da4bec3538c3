//! The client against servers that do as they are told.

#[cfg(test)]
mod common;
#[cfg(test)]
mod fake;

#[cfg(test)]
mod announce;
#[cfg(test)]
mod batch;
#[cfg(test)]
mod dataset;
#[cfg(test)]
mod epochs;
#[cfg(test)]
mod exactly_once;
#[cfg(test)]
mod fields;
#[cfg(test)]
mod finish;
mod generations;
#[cfg(test)]
mod limits;

mod listing;
#[cfg(test)]
mod live;
#[cfg(test)]
mod patience;
#[cfg(test)]
mod replicas;
#[cfg(test)]
mod report;
#[cfg(test)]
mod survey;
#[cfg(test)]
mod trust;
