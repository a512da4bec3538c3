//! Workers, and what they take, as a file of JSON.

mod error;

use headwater_plan::sync::log::MOST_WORKERS;
use headwater_plan::sync::{Micros, WorkerCost};
use serde_json::{Map, Value};

pub use error::ClusterError;

/// Most bytes of the file: 4,096 workers, each in two lines with room to spare, have a tenth.
pub const MOST_CLUSTER_BYTES: u64 = 4 << 20;
/// A day: no step and no exchange is longer.
const MOST_MICROSECONDS: u64 = 86_400_000_000;
/// Samples of a step.
const MOST_BATCH: u64 = 1 << 24;
/// A thousand times what models have today.
const MOST_MODEL_BYTES: u64 = 1 << 50;
const FROM_ROUND: &str = "from_round";

/// Several workers with one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// What a step and an exchange take each worker, by rank. At least one.
    pub workers: Vec<WorkerCost>,
    /// The round from which each takes part, by rank; 1 of those that are there from the first, and of at least one.
    pub from_round: Vec<u32>,
    /// Samples of a local step.
    pub batch: u64,
    /// Bytes of the weights that a worker sends in an exchange.
    pub model_bytes: u64,
}

/// An object, and which worker's it is.
struct Object<'a> {
    fields: &'a Map<String, Value>,
    worker: Option<usize>,
}

// === impl Cluster ===

impl Cluster {
    /// Reads `{"workers":[{"compute_us":60000,"communication_us":4800000},...],"batch":64,"model_bytes":42600000}`. A
    /// worker that joins later has its first round as `"from_round":5` too. A field that is not one of these is
    /// refused: it would be a slip of the pen.
    ///
    /// # Errors
    /// [`ClusterError`], with the field and the worker.
    pub fn parse(bytes: &[u8]) -> Result<Self, ClusterError> {
        let value: Value = serde_json::from_slice(bytes).map_err(|error| ClusterError::NotJson(error.to_string()))?;
        let object = Object::of(&value, None)?;
        object.only(&["workers", "batch", "model_bytes"])?;
        let workers = match object.field("workers")? {
            Value::Array(workers) => workers,
            _ => return Err(object.wrong("workers", "a list of workers")),
        };
        if workers.is_empty() || workers.len() > MOST_WORKERS {
            return Err(ClusterError::Workers { given: workers.len(), most: MOST_WORKERS });
        }
        let read = workers.iter().enumerate().map(|(worker, value)| read_worker(value, worker));
        let (workers, from_round): (Vec<_>, Vec<_>) = read.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
        if !from_round.contains(&1) {
            return Err(ClusterError::NobodyFirst);
        }
        let (batch, model_bytes) =
            (object.whole("batch", 1, MOST_BATCH)?, object.whole("model_bytes", 0, MOST_MODEL_BYTES)?);
        Ok(Self { workers, from_round, batch, model_bytes })
    }
}

/// What a worker takes, and its first round.
fn read_worker(value: &Value, worker: usize) -> Result<(WorkerCost, u32), ClusterError> {
    let object = Object::of(value, Some(worker))?;
    object.only(&["compute_us", "communication_us", FROM_ROUND])?;
    let compute = object.whole("compute_us", 1, MOST_MICROSECONDS)?;
    let communication = object.whole("communication_us", 0, MOST_MICROSECONDS)?;
    let from_round = match object.fields.contains_key(FROM_ROUND) {
        true => object.whole(FROM_ROUND, 1, u32::MAX.into())? as u32,
        false => 1,
    };
    Ok((WorkerCost::new(Micros(compute), Micros(communication)), from_round))
}

// === impl Object ===

impl<'a> Object<'a> {
    fn of(value: &'a Value, worker: Option<usize>) -> Result<Self, ClusterError> {
        let fields = value.as_object().ok_or(ClusterError::NoObject { worker })?;
        Ok(Self { fields, worker })
    }

    /// Whether there are no other fields.
    fn only(&self, known: &'static [&'static str]) -> Result<(), ClusterError> {
        match self.fields.keys().find(|field| !known.contains(&field.as_str())) {
            Some(field) => {
                let field = field.chars().take(64).collect();
                Err(ClusterError::Unknown { field, worker: self.worker, known: known.join(", ") })
            }
            None => Ok(()),
        }
    }

    fn field(&self, field: &'static str) -> Result<&'a Value, ClusterError> {
        self.fields.get(field).ok_or(ClusterError::Missing { field, worker: self.worker })
    }

    fn whole(&self, field: &'static str, least: u64, most: u64) -> Result<u64, ClusterError> {
        let number = self.field(field)?.as_u64().filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| self.wrong(field, &format!("a whole number from {least} to {most}")))
    }

    fn wrong(&self, field: &'static str, expected: &str) -> ClusterError {
        let given = self.fields.get(field).map_or_else(String::new, Value::to_string).chars().take(64).collect();
        ClusterError::Value { field, worker: self.worker, given, expected: expected.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Cluster::parse(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_cluster_is_read_with_its_units() {
        let text = r#"{"workers":[{"compute_us":60000,"communication_us":0}],"batch":64,"model_bytes":42600000}"#;
        let cluster = Cluster::parse(text.as_bytes()).unwrap();
        assert_eq!(cluster.workers, [WorkerCost::new(Micros(60_000), Micros::ZERO)]);
        assert_eq!((cluster.batch, cluster.model_bytes, cluster.from_round), (64, 42_600_000, vec![1]));
    }

    #[test]
    fn what_is_wrong_is_named_by_field_and_worker() {
        let with = |workers: &str| refused(&format!(r#"{{"workers":[{workers}],"batch":64,"model_bytes":1}}"#));
        let good = r#"{"compute_us":1,"communication_us":1}"#;
        assert!(refused("{").starts_with("the file is not JSON: "), "{}", refused("{"));
        assert_eq!(refused("[]"), "the file is no object");
        assert_eq!(refused("{}"), "workers is missing");
        assert_eq!(refused(r#"{"workers":3}"#), "workers is 3, which is not a list of workers");
        assert_eq!(with(""), "there are 0 workers: give from 1 to 4096");
        assert_eq!(with(&vec![good; 4097].join(",")), "there are 4097 workers: give from 1 to 4096");
        assert_eq!(with("7"), "worker 0 is no object");
        assert_eq!(with(&format!(r#"{good},{{"compute_us":5}}"#)), "communication_us of worker 1 is missing");
        assert_eq!(
            with(r#"{"compute_us":1,"communication_us":1,"from_round":2}"#),
            "no worker is there in the first round: leave its from_round away, or give 1"
        );
        let from_one = "which is not a whole number from 1 to 86400000000";
        for bad in ["0", "-1", "1.5", "\"1\"", "1e400", "18446744073709551616", "null"] {
            let words = with(&format!(r#"{good},{{"compute_us":{bad},"communication_us":1}}"#));
            assert!(words.contains(from_one) && words.contains("of worker 1") || bad == "1e400", "{bad}: {words}");
        }
        assert_eq!(
            with(r#"{"compute_us":5,"communication_us":1,"name":"a"}"#),
            "worker 0 has a field \"name\", which is not one of compute_us, communication_us, from_round"
        );
        assert_eq!(
            refused(&format!(r#"{{"workers":[{good}],"batch":0,"model_bytes":1}}"#)),
            "batch is 0, which is not a whole number from 1 to 16777216"
        );
    }
}
