//! Whose labels are asked for, and the samples that are the answer.

use std::sync::{Arc, PoisonError};

use headwater_labels::{Best, LabelError, Order, Place, Run, Standing};
use headwater_types::{ClassId, Digest};
use headwater_wire::labels::{LabelSource, LabellerChoice, Question};

use super::shelf::Shelf;
use super::standings::SharedStanding;
use crate::generation::Generation;

/// A labeller's rows over a generation, and the samples of them that were asked for.
pub(crate) struct Asked {
    pub(crate) run: Run,
    pub(crate) source: LabelSource,
    /// Each sample, the place of its row, and its class by the labeller that it is compared with.
    pub(crate) samples: Vec<(u64, Place, Option<ClassId>)>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoSource {
    /// No labeller that was chosen has labelled anything of the dataset.
    #[error("{0}")]
    None(String),
    /// The class that is asked for is none of the labeller's.
    #[error("{0}")]
    Class(String),
    #[error(transparent)]
    Index(#[from] LabelError),
}

/// A run with what stands of it.
struct Standings {
    run: Run,
    standing: SharedStanding,
}

// === impl Shelf ===

impl Shelf {
    /// Answers a question. Blocks.
    pub(crate) fn ask(
        &self,
        generation: &Generation,
        labeller: &LabellerChoice,
        question: &Question,
        (min_score, limit): (f32, Option<u64>),
    ) -> Result<Asked, NoSource> {
        let Standings { run, standing } = self.find(generation, labeller)?;
        let standing = standing.read().unwrap_or_else(PoisonError::into_inner);
        let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        let mut source = source(&run, &standing, generation);
        let enough = |sample: &u64| {
            let best = standing.standing(*sample);
            matches!(best, Some(Best::Labelled { score, .. }) if score >= min_score)
        };
        let samples: Vec<(u64, Option<ClassId>)> = match question {
            Question::All => {
                let all = (0..generation.catalog().len() as u64).filter(enough);
                all.take(limit).map(|sample| (sample, None)).collect()
            }
            Question::Label(label) => {
                let class = class_of(&run, &standing, label)?;
                let of_class = standing.of_class(class, min_score, Order::ByScore, limit);
                of_class.into_iter().map(|sample| (sample, None)).collect()
            }
            Question::Uncertain => {
                // Those below the least score come first, and are not meant.
                let uncertain = standing.uncertain(if min_score > 0.0 { usize::MAX } else { limit });
                uncertain.into_iter().filter(enough).take(limit).map(|sample| (sample, None)).collect()
            }
            Question::ChangedSince(before) => {
                let earlier = self.before(generation, before, &run)?;
                let earlier_standing = earlier.standing.read().unwrap_or_else(PoisonError::into_inner);
                let earlier_source = self::source(&earlier.run, &earlier_standing, generation);
                let same = Renamed::new(&earlier_source, &source);
                source.before = Some(Box::new(earlier_source));
                // One number may be two classes: what is compared is their names.
                let class = |standing: &Standing, sample| match standing.standing(sample)? {
                    Best::Labelled { class, .. } => Some(class),
                    Best::Failed { .. } => None,
                };
                let changed = (0..generation.catalog().len() as u64).filter_map(|sample| {
                    let (from, to) = (class(&earlier_standing, sample)?, class(&standing, sample)?);
                    (same.of(from) != Some(to) && enough(&sample)).then_some((sample, Some(from)))
                });
                changed.take(limit).collect()
            }
        };
        let with_place = |(sample, before)| match standing.standing(sample)? {
            Best::Labelled { place, .. } => Some((sample, place, before)),
            Best::Failed { .. } => None,
        };
        Ok(Asked { samples: samples.into_iter().filter_map(with_place).collect(), source, run: run.clone() })
    }

    /// The number of samples of each class. Blocks.
    pub(crate) fn count(
        &self,
        generation: &Generation,
        labeller: &LabellerChoice,
        min_score: f32,
    ) -> Result<(LabelSource, Vec<u64>), NoSource> {
        let Standings { run, standing } = self.find(generation, labeller)?;
        let standing = standing.read().unwrap_or_else(PoisonError::into_inner);
        Ok((source(&run, &standing, generation), standing.counts(min_score)))
    }

    /// The run that began last of those that are meant.
    fn find(&self, generation: &Generation, labeller: &LabellerChoice) -> Result<Standings, NoSource> {
        let runs = self.index.runs(&generation.pipeline.store.place())?;
        let known: Vec<_> = runs.iter().map(named).collect();
        let found = runs.into_iter().rev().find(|run| is_meant(run, labeller));
        self.stand(generation, found.ok_or_else(|| none(labeller, &known))?)
    }

    /// The other run of those that are meant, which began last.
    fn before(&self, generation: &Generation, labeller: &LabellerChoice, now: &Run) -> Result<Standings, NoSource> {
        let runs = self.index.runs(&generation.pipeline.store.place())?;
        let known: Vec<_> = runs.iter().filter(|run| run.id != now.id).map(named).collect();
        let found = runs.into_iter().rev().find(|run| run.id != now.id && is_meant(run, labeller));
        self.stand(generation, found.ok_or_else(|| none(labeller, &known))?)
    }

    fn stand(&self, generation: &Generation, run: Run) -> Result<Standings, NoSource> {
        let standing = self.standings.get(&self.index, run.id, generation.catalog())?;
        Ok(Standings { run, standing: Arc::clone(&standing) })
    }
}

/// Classes of one labeller that another calls by the same name.
struct Renamed(Option<Vec<Option<ClassId>>>);

// === impl Renamed ===

impl Renamed {
    /// Between labellers whose classes both have names; numbers are compared where one has none.
    fn new(from: &LabelSource, to: &LabelSource) -> Self {
        if from.classes.is_empty() || to.classes.is_empty() {
            return Self(None);
        }
        let by_name: std::collections::HashMap<_, _> = to.classes.iter().zip((0..).map(ClassId)).collect();
        Self(Some(from.classes.iter().map(|name| by_name.get(name).copied()).collect()))
    }

    /// The other labeller's number of a class.
    fn of(&self, class: ClassId) -> Option<ClassId> {
        match &self.0 {
            None => Some(class),
            Some(classes) => classes.get(class.0 as usize).copied().flatten(),
        }
    }
}

fn is_meant(run: &Run, choice: &LabellerChoice) -> bool {
    let begins = |digest: Digest| digest.to_string().starts_with(&choice.digest);
    let named = choice.model.as_ref().is_none_or(|model| *model == run.labeller.model);
    named && (begins(run.labeller.digest) || begins(run.labeller.model_digest))
}

fn named(run: &Run) -> String {
    format!("{} {}", run.labeller.model, run.labeller.model_digest.short())
}

fn none(choice: &LabellerChoice, known: &[String]) -> NoSource {
    let model = choice.model.as_ref().map(|model| format!(" by {model}")).unwrap_or_default();
    let digest = if choice.digest.is_empty() { String::new() } else { format!(" of digest {}...", choice.digest) };
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    NoSource::None(format!("no labels{model}{digest} here: there are those of [{known}], and tuner relabel makes them"))
}

fn source(run: &Run, standing: &Standing, generation: &Generation) -> LabelSource {
    let labeller = &run.labeller;
    LabelSource {
        model: labeller.model.clone(),
        digest: labeller.digest,
        model_digest: labeller.model_digest,
        recipe_digest: labeller.recipe,
        classes: labeller.classes.clone(),
        samples: generation.catalog().len() as u64,
        labelled: standing.labelled(),
        failed: standing.failed(),
        before: None,
    }
}

/// The class of this name, or of this number where classes have no names.
fn class_of(run: &Run, standing: &Standing, label: &str) -> Result<ClassId, NoSource> {
    let classes = &run.labeller.classes;
    if let Some(place) = classes.iter().position(|class| class == label) {
        return Ok(ClassId(place as u32));
    }
    match label.parse() {
        Ok(number) if classes.is_empty() => Ok(ClassId(number)),
        _ if classes.is_empty() => {
            let some = standing.counts(0.0).iter().rposition(|count| *count > 0).unwrap_or_default();
            let message =
                format!("the classes of this model have no names: give a number, such as {some}, not {label:?}");
            Err(NoSource::Class(message))
        }
        _ => Err(NoSource::Class(format!("the model has no class {label:?}: {}", likely(classes, label)))),
    }
}

/// The names that are meant most likely.
pub(crate) fn likely(classes: &[String], label: &str) -> String {
    let label = label.to_lowercase();
    let similar: Vec<_> = classes.iter().filter(|class| class.to_lowercase().contains(&label)).take(5).collect();
    let shown: Vec<_> = if similar.is_empty() { classes.iter().take(20).collect() } else { similar };
    let more = if shown.len() < classes.len() { ", and others" } else { "" };
    let shown = shown.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    format!("it has {shown}{more}")
}
