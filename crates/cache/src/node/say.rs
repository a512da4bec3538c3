//! What trainers say of samples: in which order they come, and how much they matter.

use headwater_policy::PolicyName;

use super::error::NodeError;
use super::hold::Node;
use super::layout::Row;

// === impl Node ===

impl Node {
    /// The samples that will be asked for next, in this order, behind what was announced before. Of each sample two
    /// further uses are kept. Indices beyond the dataset are left out.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn announce(&self, order: &[u64]) -> Result<(), NodeError> {
        let mut books = self.books()?;
        let (begin, samples) = (books.header.announced, books.header.samples);
        for (position, &index) in (begin..).zip(order) {
            if index < samples {
                let (_, mut uses) = books.row(index)?;
                uses.expect(position);
                books.set_uses(index, uses)?;
            }
        }
        books.begin()?;
        books.header.announced = begin.saturating_add(order.len() as u64);
        // Nobody's victims are what they were.
        books.header.changes = books.header.changes.saturating_add(samples);
        books.forget_victims();
        Ok(())
    }

    /// The losses of samples, by which `importance` keeps them; where no policy was asked for, that is the policy from
    /// here on. A loss that is not above 0, or no number, is the least.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn report(&self, losses: impl Iterator<Item = (u64, f32)>) -> Result<(), NodeError> {
        let mut books = self.books()?;
        for (index, loss) in losses.filter(|(index, _)| *index < books.header.samples).collect::<Vec<_>>() {
            let (row, _) = books.row(index)?;
            // 0 says that nobody has reported.
            books.amend(index, Row { importance: loss.max(f32::MIN_POSITIVE), ..row })?;
            books.note(index)?;
        }
        books.begin()?;
        if books.header.is_open {
            (books.header.policy, books.header.is_open) = (PolicyName::Importance, false);
        }
        books.header.changes = books.header.changes.saturating_add(1);
        Ok(())
    }
}
