//! The same rules once more, as simply as they can be written: lists that are looked through.

use headwater_policy::{PolicyName, Tier, TierSizes};

struct Held {
    key: u32,
    bytes: u64,
    uses: u64,
    last: u64,
}

/// `lru`, `lfu` or `static` over two tiers. Each tier is a list, the newest entry last.
pub(crate) struct Naive {
    policy: PolicyName,
    sizes: TierSizes,
    memory: Vec<Held>,
    ssd: Vec<Held>,
    now: u64,
}

// === impl Naive ===

impl Naive {
    pub(crate) fn new(policy: PolicyName, sizes: TierSizes) -> Self {
        Self { policy, sizes, memory: Vec::new(), ssd: Vec::new(), now: 0 }
    }

    /// Where a sample was found; it is offered to the cache where it was not.
    pub(crate) fn read(&mut self, key: u32, bytes: u64) -> Option<Tier> {
        self.now += 1;
        if let Some(entry) = self.use_entry(key, Tier::Memory) {
            self.memory.push(entry);
            return Some(Tier::Memory);
        }
        if let Some(entry) = self.use_entry(key, Tier::Ssd) {
            if self.goes_put_in_memory(bytes) {
                self.put_in_memory(entry);
            } else {
                self.ssd.push(entry);
            }
            return Some(Tier::Ssd);
        }
        let entry = Held { key, bytes, uses: 1, last: self.now };
        if self.goes_put_in_memory(bytes) {
            self.put_in_memory(entry);
        } else {
            self.put_on_ssd(entry);
        }
        None
    }

    pub(crate) fn keys(&self, tier: Tier) -> Vec<u32> {
        let held = if tier == Tier::Memory { &self.memory } else { &self.ssd };
        let mut keys: Vec<_> = held.iter().map(|held| held.key).collect();
        keys.sort_unstable();
        keys
    }

    /// Takes an entry out of its list, as one that was used once more.
    fn use_entry(&mut self, key: u32, tier: Tier) -> Option<Held> {
        let held = if tier == Tier::Memory { &mut self.memory } else { &mut self.ssd };
        let place = held.iter().position(|held| held.key == key)?;
        let mut entry = held.remove(place);
        (entry.uses, entry.last) = (entry.uses + 1, self.now);
        Some(entry)
    }

    fn fills(&self) -> bool {
        self.policy == PolicyName::Static
    }

    fn goes_put_in_memory(&self, bytes: u64) -> bool {
        let used = if self.fills() { sum(&self.memory) } else { 0 };
        self.sizes.memory > 0 && used + bytes <= self.sizes.memory
    }

    fn put_in_memory(&mut self, entry: Held) {
        self.memory.push(entry);
        while sum(&self.memory) > self.sizes.memory {
            let victim = self.memory.remove(self.worst(&self.memory));
            self.put_on_ssd(victim);
        }
    }

    fn put_on_ssd(&mut self, entry: Held) {
        let size = self.sizes.ssd;
        if size == 0 || entry.bytes > size || (self.fills() && sum(&self.ssd) + entry.bytes > size) {
            return;
        }
        self.ssd.push(entry);
        while sum(&self.ssd) > size {
            self.ssd.remove(self.worst(&self.ssd));
        }
    }

    /// Who goes next; never who has just come.
    fn worst(&self, held: &[Held]) -> usize {
        let others = held[..held.len() - 1].iter().enumerate();
        let by = |&(place, held): &(usize, &Held)| match self.policy {
            PolicyName::Lfu => (held.uses, held.last),
            _ => (0, place as u64),
        };
        others.min_by_key(by).unwrap().0
    }
}

fn sum(held: &[Held]) -> u64 {
    held.iter().map(|held| held.bytes).sum()
}
