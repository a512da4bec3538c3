use headwater_types::{ClassId, FailureKind};
use proptest::prelude::*;

use super::*;
use crate::probe::{frame_columns, reseal_block};

/// A row with its own memory.
type Owned = (String, [u8; 16], Result<Vec<(u32, f32)>, usize>);

fn rows() -> impl Strategy<Value = Vec<Owned>> {
    let score = any::<f32>().prop_map(|score| if score.is_finite() { score } else { -0.0 });
    let labels = prop::collection::vec((0_u32..1 << 18, score), 1..6);
    let outcome = prop_oneof![4 => labels.prop_map(Ok), 1 => (0_usize..14).prop_map(Err)];
    prop::collection::vec(("[a-cé]{1,3}/[ab\u{efe9}]{0,20}", any::<[u8; 16]>(), outcome), 1..=LABEL_BLOCK_ROWS)
}

fn filled(rows: &[Owned]) -> Block {
    let mut block = Block::default();
    for (key, version, outcome) in rows {
        let labels: Vec<_> =
            outcome.iter().flatten().map(|(class, score)| Scored { class: ClassId(*class), score: *score }).collect();
        let outcome = match outcome {
            Ok(_) => Outcome::Labels(&labels),
            Err(kind) => Outcome::Failed(FailureKind::ALL[*kind]),
        };
        block.push(&Row { key, version: *version, outcome });
    }
    block
}

fn sealed(block: &Block) -> Vec<u8> {
    Packer::new().unwrap().seal(block, 3, 9).unwrap()
}

fn opened(value: &[u8], run: u32, number: u32) -> Result<Block, BlockError> {
    let mut block = Block::default();
    Unpacker::new().unwrap().open(value, run, number, &mut block).map(|()| block)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn rows_survive_their_block_to_the_bit(rows in rows()) {
        let block = filled(&rows);
        let value = sealed(&block);
        let bits = |block: &Block| block.labels.iter().map(|label| label.score.to_bits()).collect::<Vec<_>>();
        let read = opened(&value, 3, 9).unwrap();
        prop_assert_eq!(bits(&read), bits(&block));
        prop_assert_eq!(read, block);
        prop_assert_eq!(rows_of(&value, 3, 9), Ok(rows.len()));
    }

    #[test]
    fn a_flipped_bit_a_cut_or_a_tail_is_no_block(rows in rows(), at: prop::sample::Index, bit in 0..8_u8) {
        let value = sealed(&filled(&rows));
        let mut flipped = value.clone();
        flipped[at.index(value.len())] ^= 1_u8 << bit;
        prop_assert_eq!(opened(&flipped, 3, 9), Err(BlockError::Checksum));
        prop_assert_eq!(opened(&value[..at.index(value.len())], 3, 9), Err(BlockError::Checksum));
        prop_assert_eq!(opened(&[&value[..], &[0]].concat(), 3, 9), Err(BlockError::Checksum));
    }

    #[test]
    fn columns_of_any_bytes_are_read_or_refused(
        bytes in prop::collection::vec(any::<u8>(), 0..300), rows in 0..300_u16,
    ) {
        let read = reseal_block(&frame_columns(rows, &bytes));
        if let Ok(again) = read {
            prop_assert_eq!(reseal_block(&again), Ok(again.clone()));
        }
    }

    #[test]
    fn columns_with_a_changed_byte_are_read_or_refused(rows in rows(), at: prop::sample::Index, byte: u8) {
        let block = filled(&rows);
        let mut columns = Vec::new();
        super::write::write_columns(&block, &mut columns);
        let at = at.index(columns.len());
        columns[at] = byte;
        if let Ok(again) = reseal_block(&frame_columns(rows.len() as u16, &columns)) {
            prop_assert_eq!(reseal_block(&again), Ok(again.clone()));
        }
    }
}

#[test]
fn a_block_stands_in_for_no_other() {
    let value = sealed(&filled(&[("a".to_owned(), [1; 16], Err(0))]));
    assert!(opened(&value, 3, 9).is_ok());
    assert_eq!(opened(&value, 3, 8), Err(BlockError::Checksum));
    assert_eq!(opened(&value, 2, 9), Err(BlockError::Checksum));
}

#[test]
fn what_no_row_can_have_is_refused_by_its_name() {
    let one = |shared: u16, own: u16, key: &[u8], outcome: u8, labels: &[(u32, f32)]| {
        let mut columns = [&shared.to_le_bytes()[..], &own.to_le_bytes(), key, &[7; 16]].concat();
        columns.extend([outcome, labels.len() as u8]);
        columns.extend(labels.iter().flat_map(|(class, _)| class.to_le_bytes()));
        columns.extend(labels.iter().flat_map(|(_, score)| score.to_le_bytes()));
        reseal_block(&frame_columns(1, &columns)).map(|_| ())
    };
    assert_eq!(one(0, 1, b"a", 0, &[(5, 0.5)]), Ok(()));
    assert_eq!(one(0, 1, b"a", 8, &[]), Ok(()));
    for (read, error) in [
        (one(1, 1, b"a", 8, &[]), BlockError::Key),
        (one(0, 0, b"", 8, &[]), BlockError::Key),
        (one(0, 1, b"\xff", 8, &[]), BlockError::Key),
        (one(0, 1025, &[b'a'; 1025], 8, &[]), BlockError::Key),
        (one(0, 9, b"a", 8, &[]), BlockError::Length),
        (one(0, 1, b"a", 15, &[]), BlockError::Outcome),
        (one(0, 1, b"a", 0, &[]), BlockError::Outcome),
        (one(0, 1, b"a", 8, &[(5, 0.5)]), BlockError::Outcome),
        (one(0, 1, b"a", 0, &[(1 << 18, 0.5)]), BlockError::Label),
        (one(0, 1, b"a", 0, &[(5, f32::NAN)]), BlockError::Label),
        (reseal_block(&frame_columns(0, b"")).map(|_| ()), BlockError::Rows(0)),
        (reseal_block(&frame_columns(257, b"")).map(|_| ()), BlockError::Rows(257)),
        (reseal_block(&frame_columns(1, &[0; 2000])).map(|_| ()), BlockError::Length),
    ] {
        assert_eq!(read, Err(error));
    }
}

#[test]
fn the_layout_never_changes_in_silence() {
    let labels = [Scored { class: ClassId(258), score: 1.0 }];
    let mut block = Block::default();
    block.push(&Row { key: "cat/a", version: [1; 16], outcome: Outcome::Labels(&labels) });
    block.push(&Row { key: "cat/b", version: [2; 16], outcome: Outcome::Failed(FailureKind::Malformed) });
    let mut columns = Vec::new();
    super::write::write_columns(&block, &mut columns);
    let versions = [1, 2].repeat(16);
    let expected = [&[0, 4, 0, 0, 5, 1, 0, 0], &b"cat/ab"[..], &versions, &[0, 8, 1, 0, 2, 1, 0, 0, 0, 0, 0x80, 0x3f]];
    assert_eq!(columns, expected.concat());
    let value = sealed(&block);
    assert_eq!(value[..4], *b"LBL\x01");
    assert_eq!(value[12..18], [2, 0, columns.len() as u8, 0, 0, 0]);
}
