//! The crate's promises, tested from outside: models come back to the bit, and whatever is wrong is refused by name.

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod models;
#[cfg(test)]
mod refused;
#[cfg(test)]
mod support;
