//! Importance sampling, with losses that evolve.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

use headwater_policy::PolicyName;
use headwater_simulate::Trace;

use crate::random::Random;
use crate::support::{hits, replay};

const SAMPLES: usize = 1000;
const EPOCHS: usize = 20;

struct Losses {
    /// How much a report differs from what it reports.
    noise: f64,
    /// How much a sample's difficulty changes from epoch to epoch.
    drift: f64,
    /// The part of the samples that an epoch reads.
    part: f64,
}

/// Each sample's loss drifts and falls over epochs. The first epoch reads all; each further one a part, picked without
/// replacement by the loss that was reported last.
fn accesses(losses: &Losses, seed: u64) -> Vec<(usize, usize, f32)> {
    let mut random = Random(seed);
    let mut difficulty: Vec<f64> = (0..SAMPLES).map(|_| random.normal()).collect();
    let mut reported = vec![1.0_f64; SAMPLES];
    let mut accesses = Vec::new();
    for epoch in 0..EPOCHS {
        difficulty.iter_mut().for_each(|difficulty| *difficulty += losses.drift * random.normal());
        // The smallest of exponential numbers, each with its weight as its rate (Efraimidis and Spirakis 2006).
        let mut picks: Vec<_> =
            (0..SAMPLES).map(|sample| (-(1.0 - random.part()).ln() / reported[sample], sample)).collect();
        if epoch > 0 {
            picks.sort_by(|a, b| a.0.total_cmp(&b.0));
            picks.truncate((SAMPLES as f64 * losses.part) as usize);
        }
        let falls = 0.3 + 0.7 * (-(epoch as f64) / 6.0).exp();
        for place in random.order(picks.len()) {
            let sample = picks[place as usize].1;
            reported[sample] = (difficulty[sample] + losses.noise * random.normal()).exp() * falls;
            accesses.push((epoch, sample, reported[sample] as f32));
        }
    }
    accesses
}

/// iCache's H-cache (HPCA'23), re-created: a heap by importance; what comes replaces the smallest where it is larger.
struct HCache {
    size: usize,
    held: HashMap<usize, u32>,
    heap: BTreeSet<(u32, Reverse<usize>)>,
}

// === impl HCache ===

impl HCache {
    fn of(size: usize) -> Self {
        Self { size, held: HashMap::new(), heap: BTreeSet::new() }
    }

    /// Reads a sample; whether it was there.
    fn access(&mut self, sample: usize, loss: f32) -> bool {
        let (loss, before) = (loss.to_bits(), self.held.get(&sample).copied());
        if let Some(before) = before {
            self.heap.remove(&(before, Reverse(sample)));
        } else if self.held.len() == self.size {
            let smallest = *self.heap.first().unwrap();
            if smallest.0 >= loss {
                return false;
            }
            self.heap.remove(&smallest);
            self.held.remove(&smallest.1.0);
        }
        self.held.insert(sample, loss);
        self.heap.insert((loss, Reverse(sample)));
        before.is_some()
    }
}

fn h_cache(accesses: &[(usize, usize, f32)], size: usize) -> u64 {
    let mut cache = HCache::of(size);
    accesses.iter().filter(|&&(_, sample, loss)| cache.access(sample, loss)).count() as u64
}

/// What a prefetcher goes by.
#[derive(Clone, Copy, Debug)]
enum Ahead {
    /// The loss that was reported last: what is likely to be picked.
    Loss,
    /// The order of the epoch, which says what is picked: nothing is brought in vain.
    Order,
}

/// Importance plus prefetch (ImPACT, Chen et al., IEEE TC'25), re-created from what its abstract says: such a heap, and
/// a tenth of the places for what is brought before it is asked for. Gives the reads of the origin, ahead or not.
fn prefetching(accesses: &[(usize, usize, f32)], size: usize, by: Ahead) -> u64 {
    let (places, mut cache) = (size / 10, HCache::of(size - size / 10));
    let (mut reported, mut ahead, mut reads) = (vec![1.0_f32; SAMPLES], BTreeSet::new(), 0);
    for of_epoch in accesses.chunk_by(|one, next| one.0 == next.0) {
        let mut unread: BTreeSet<usize> = (0..SAMPLES).collect();
        for (place, &(epoch, sample, loss)) in of_epoch.iter().enumerate() {
            // All that is known in the first epoch is that it reads all.
            let free = if epoch == 0 { 0 } else { places - ahead.len() };
            let is_wanted = |sample: &usize| !cache.held.contains_key(sample) && !ahead.contains(sample);
            let brought: Vec<usize> = match by {
                Ahead::Loss => {
                    let mut likely: Vec<_> = unread.iter().copied().filter(is_wanted).collect();
                    likely.sort_by(|&one, &other| reported[other].total_cmp(&reported[one]));
                    likely.into_iter().take(free).collect()
                }
                Ahead::Order => of_epoch[place..].iter().map(|next| next.1).filter(is_wanted).take(free).collect(),
            };
            reads += brought.len() as u64;
            ahead.extend(brought);
            unread.remove(&sample);
            let was_brought = ahead.remove(&sample);
            reads += u64::from(!cache.access(sample, loss) && !was_brought);
            reported[sample] = loss;
        }
    }
    reads
}

#[test]
fn importance_hits_as_often_as_icaches_heap_and_reads_less_than_impacts_and_than_static() {
    for (noise, drift, part) in [(0.3, 0.15, 0.7), (0.6, 0.15, 0.7), (0.3, 0.4, 0.3), (0.8, 0.05, 0.5)] {
        for seed in [1, 2] {
            let accesses = accesses(&Losses { noise, drift, part }, seed);
            let mut text = "epoch\tsample\tloss\n".to_owned();
            accesses.iter().for_each(|(epoch, sample, loss)| writeln!(text, "{epoch}\t{sample}\t{loss}").unwrap());
            let trace = Trace::parse(text.as_bytes()).unwrap();
            let size = SAMPLES as u64 / 5;
            let of = |policy, memory, ssd| hits(&replay(&trace, policy, memory, ssd));
            let (importance, fill) = (of(PolicyName::Importance, size, 0), of(PolicyName::Static, size, 0));
            let heap = h_cache(&accesses, size as usize);
            println!(
                "noise {noise}, drift {drift}, {part} read: importance {importance}, H-cache {heap}, static {fill}"
            );
            assert!(importance >= heap && importance > fill);
            // What is read ahead goes by the job's order, and is read once: a read of the origin for each miss.
            let reads = accesses.len() as u64 - importance;
            let others = [Ahead::Loss, Ahead::Order].map(|by| prefetching(&accesses, size as usize, by));
            println!("  reads of the origin: {reads}; with what is likely brought ahead, or the order: {others:?}");
            assert!(others.iter().all(|other| reads < *other));
            let tiers = of(PolicyName::Importance, size / 4, size - size / 4);
            assert!(tiers >= heap, "two tiers of the same size together: {tiers}");
        }
    }
}

#[test]
fn what_was_not_picked_for_its_importance_counts_a_quarter() {
    let text = "sample\tloss\tflag\tfull_access\na\t2\t0\t0\nb\t1\t1\t0\nc\t1.5\t0\t1\nd\t1.4\t0\t0\n";
    let report = replay(&Trace::parse(text.as_bytes()).unwrap(), PolicyName::Importance, 2, 0);
    assert_eq!(report.memory.keys.unwrap(), ["b", "c"]);
    assert_eq!((report.rejected, report.evicted), (1, 1));
}
