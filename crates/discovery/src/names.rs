//! All addresses of a name, by this machine's resolver.

use std::time::Duration;

use tokio::net::lookup_host;
use tokio::time::timeout;

use crate::address::ServerAddress;
use crate::error::DiscoveryError;

/// How long a resolver is waited for.
const ANSWER: Duration = Duration::from_secs(10);

/// The addresses, sorted: a resolver gives them in another order each time.
pub(crate) async fn look_up(name: &str, port: u16) -> Result<Vec<ServerAddress>, DiscoveryError> {
    let fault = |problem: String| DiscoveryError::Name { name: format!("{name}:{port}"), problem };
    // A name in brackets is an IPv6 address, which the resolver knows without them.
    let host = name.trim_start_matches('[').trim_end_matches(']');
    let found = timeout(ANSWER, lookup_host((host, port))).await;
    let found = found.map_err(|_| fault(format!("the resolver gave no answer in {} s", ANSWER.as_secs())))?;
    let found = found.map_err(|error| fault(error.to_string()))?;
    let mut addresses: Vec<_> = found.map(|address| ServerAddress::of_name(name, address)).collect();
    addresses.sort();
    addresses.dedup();
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_has_its_addresses_once_each_and_a_certificate_is_for_the_name() {
        let found = look_up("localhost", 9000).await.unwrap();
        assert!(!found.is_empty() && found.is_sorted());
        assert!(found.iter().all(|address| address.certified() == "localhost"), "{found:?}");
        assert!(found.iter().any(|address| address.to_string() == "127.0.0.1:9000"), "{found:?}");
    }
}
