//! What a person can see of the identity provider: how fresh its keys are, and what came of tokens.

use std::fmt;
use std::sync::Arc;

use headwater_identity::{Counts, Provider};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::registry::Unit;

use super::families::Families;

/// The identity provider of a server that has one.
#[derive(Debug)]
pub(super) struct IdentityMetrics(pub(super) Option<Arc<Provider>>);

impl Collector for IdentityMetrics {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let (counts, mut families) = (self.0.as_ref().map(|provider| provider.counts()), Families(encoder));
        let each = |of: fn(&Counts) -> [(&'static str, u64); 3]| {
            let counts = counts.as_ref().map(of).into_iter().flatten();
            counts.map(|(outcome, count)| ([("outcome", outcome.to_owned())], count))
        };
        let help = "Questions to the identity provider (--oidc-issuer) for its keys, by outcome: same, changed, failed";
        families.counters("oidc_refreshes", help, each(|counts| counts.refreshes))?;
        let help = "Tokens of the identity provider that calls showed, by outcome: verified (the signature was \
                    checked), known (it was before, by the same keys), refused";
        families.counters("oidc_tokens", help, each(|counts| counts.tokens))?;
        let help = "Keys of the identity provider that tokens are held against";
        families.gauge("oidc_keys", help, None, counts.as_ref().map(|counts| counts.keys as f64))?;
        let age = counts.as_ref().and_then(|counts| counts.age).map(|age| age.as_secs_f64());
        let help = "Time since the identity provider last said what its keys are; tokens are refused when it passes \
                    --oidc-keep-keys";
        families.gauge("oidc_keys_age", help, Some(&Unit::Seconds), age)
    }
}
