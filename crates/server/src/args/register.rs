//! Where the server registers, so that clients find it.

use clap::Args;
use headwater_cli::exit::UsageError;
use headwater_discovery::{EtcdPrefix, HostPortError, ServerAddress};

use crate::listen::ListenAddress;

/// Where the server registers.
#[derive(Args, Clone, Debug)]
pub(crate) struct RegisterArgs {
    /// Register at this etcd for as long as the server serves, so that clients find it by --servers with the same URL.
    /// etcd is reached in plain text, and has addresses alone
    #[arg(long, value_name = "etcd://HOST:PORT/PREFIX", help_heading = "Network")]
    register: Option<EtcdPrefix>,
    /// The address to register, by which clients reach this server; that of --listen if not given
    #[arg(long, value_name = "HOST:PORT", help_heading = "Network")]
    advertise: Option<ServerAddress>,
}

// === impl RegisterArgs ===

impl RegisterArgs {
    /// Settings that do not go together, each with the fix.
    pub(crate) fn conflicts(&self, listen: &ListenAddress) -> Vec<UsageError> {
        let mut found = Vec::new();
        if self.advertise.is_some() && self.register.is_none() {
            found.push("--advertise without --register: nobody would read it; give --register too".to_owned());
        }
        if self.register.is_some() && self.advertise.is_none() && listen.is_wildcard() {
            found.push(format!(
                "--register needs an address that clients reach, which --listen {listen} is not: give --advertise \
                 HOST:PORT"
            ));
        }
        found.into_iter().map(UsageError).collect()
    }

    /// Where to register, and as what, once the port is known; `None` where that is not wanted.
    ///
    /// # Errors
    /// An address that cannot be one.
    pub(crate) fn registered(
        &self,
        listen: &ListenAddress,
        port: u16,
    ) -> Result<Option<(EtcdPrefix, ServerAddress)>, HostPortError> {
        let Some(prefix) = self.register.clone() else { return Ok(None) };
        let address = match &self.advertise {
            Some(address) => address.clone(),
            None => format!("{}:{port}", listen.host()).parse()?,
        };
        Ok(Some((prefix, address)))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Settings {
        #[command(flatten)]
        register: RegisterArgs,
    }

    fn read(arguments: &[&str]) -> RegisterArgs {
        Settings::try_parse_from(["serve"].iter().chain(arguments)).unwrap().register
    }

    #[test]
    fn what_is_registered_is_what_clients_reach() {
        let of = |arguments: &[&str], listen: &str| {
            let registered = read(arguments).registered(&listen.parse().unwrap(), 7441).unwrap();
            registered.map(|(prefix, address)| format!("{prefix} {address}"))
        };
        let register = ["--register", "etcd://e/hw"];
        assert_eq!(of(&[], "10.0.0.5"), None);
        assert_eq!(of(&register, "10.0.0.5:0").as_deref(), Some("etcd://e:2379/hw 10.0.0.5:7441"));
        let advertised = [&register[..], &["--advertise", "node1"]].concat();
        assert_eq!(of(&advertised, "0.0.0.0").as_deref(), Some("etcd://e:2379/hw node1:7440"));
    }

    #[test]
    fn an_address_that_nobody_reaches_is_refused() {
        let conflicts = |arguments: &[&str], listen: &str| read(arguments).conflicts(&listen.parse().unwrap()).len();
        assert_eq!(conflicts(&["--register", "etcd://e/hw"], "10.0.0.5"), 0);
        assert_eq!(conflicts(&["--register", "etcd://e/hw"], "0.0.0.0"), 1);
        assert_eq!(conflicts(&["--register", "etcd://e/hw", "--advertise", "node1"], "0.0.0.0"), 0);
        assert_eq!(conflicts(&["--advertise", "node1"], "10.0.0.5"), 1);
    }
}
