//! The keys over time, on a clock that is moved by hand.

use headwater_testdata::identity::{SigningKey, Signs};

use super::*;

const KEEP: Duration = Duration::from_secs(3600);
const REFRESH: Duration = Duration::from_secs(30);

fn set(keys: &[&SigningKey]) -> KeySet {
    KeySet::read(SigningKey::document(keys).as_bytes()).unwrap()
}

#[test]
fn keys_are_trusted_while_the_provider_is_away_and_not_for_ever() {
    let key = SigningKey::new(Signs::Es256, "a").unwrap();
    let (mut keys, start) = (Keys::default(), Instant::now());
    let at = |seconds| start + Duration::from_secs(seconds);
    let away = || Err("nobody answers".to_owned());
    assert_eq!(keys.trusted(at(0), KEEP).unwrap_err(), Refused::NoKeysYet { trouble: None });
    keys.ask(at(0));
    assert_eq!(keys.answer(away(), at(5), KEEP), Change::Away);
    let trouble = Some("nobody answers".to_owned());
    assert_eq!(keys.trusted(at(5), KEEP).unwrap_err(), Refused::NoKeysYet { trouble });
    assert_eq!(keys.pause(REFRESH), OIDC_AGAIN);
    keys.ask(at(10));
    assert_eq!(keys.answer(Ok(set(&[&key])), at(12), KEEP), Change::Keys);
    assert_eq!(keys.pause(REFRESH), REFRESH);
    let verifier = Arc::clone(keys.trusted(at(12), KEEP).unwrap());

    // Away: said once, and trusted on, with what was verified.
    keys.ask(at(42));
    assert_eq!(keys.answer(away(), at(47), KEEP), Change::Away);
    keys.ask(at(52));
    assert_eq!(keys.answer(away(), at(57), KEEP), Change::None);
    assert!(Arc::ptr_eq(keys.trusted(at(3610), KEEP).unwrap(), &verifier));
    // Of the question's time, which is older than its answer.
    assert_eq!(keys.trusted(at(3611), KEEP).unwrap_err(), Refused::OldKeys { seconds: 3601 });
    keys.ask(at(3612));
    assert_eq!(keys.answer(away(), at(3613), KEEP), Change::TooOld);
    keys.ask(at(3620));
    assert_eq!(keys.answer(away(), at(3621), KEEP), Change::None);

    // Back, with the same keys.
    keys.ask(at(4000));
    assert_eq!(keys.answer(Ok(set(&[&key])), at(4001), KEEP), Change::Back);
    assert!(Arc::ptr_eq(keys.trusted(at(4001), KEEP).unwrap(), &verifier));
    keys.ask(at(4030));
    assert_eq!(keys.answer(Ok(set(&[&key])), at(4031), KEEP), Change::None);
    keys.ask(at(4060));
    assert_eq!(keys.answer(away(), at(4061), KEEP), Change::Away);
}

#[test]
fn a_key_that_is_rotated_out_is_gone_with_what_it_verified_at_the_next_question() {
    let [old, new] = ["old", "new"].map(|id| SigningKey::new(Signs::Es256, id).unwrap());
    let (mut keys, start) = (Keys::default(), Instant::now());
    keys.ask(start);
    keys.answer(Ok(set(&[&old])), start, KEEP);
    let before = Arc::clone(keys.trusted(start, KEEP).unwrap());
    keys.ask(start + REFRESH);
    assert_eq!(keys.answer(Ok(set(&[&new])), start + REFRESH, KEEP), Change::Keys);
    let after = keys.trusted(start + REFRESH, KEEP).unwrap();
    assert!(!Arc::ptr_eq(&before, after));
    // The longest that a question takes, and one that is just missed.
    assert!(REFRESH + 2 * headwater_types::caps::OIDC_ANSWER < Duration::from_secs(60));
}

#[test]
fn a_storm_of_unknown_keys_asks_once_in_a_while() {
    let (mut keys, start) = (Keys::default(), Instant::now());
    assert!(keys.may_ask(start));
    keys.ask(start);
    assert!(keys.may_ask(start), "the answer on its way is waited for");
    keys.answer(Err("no".to_owned()), start, KEEP);
    let mut asked = 0;
    for milliseconds in 0..60_000 {
        let now = start + Duration::from_millis(milliseconds);
        if keys.may_ask(now) {
            asked += 1;
            keys.ask(now);
            keys.answer(Err("no".to_owned()), now, KEEP);
        }
    }
    assert_eq!(asked, 29);
}
