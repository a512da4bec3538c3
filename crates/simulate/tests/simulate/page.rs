//! Hit rates over sizes, as a page; and what a replay says while it runs.

use std::cell::Cell;

use headwater_policy::{PolicyName, TierSizes};
use headwater_simulate::{Curve, Outlook, Trace};

use crate::support::replay;

#[test]
fn a_page_has_every_policy_at_every_size() {
    let text: String =
        (0..3).flat_map(|epoch| (0..50).map(move |sample| format!("{epoch}\t{sample}\t100\n"))).collect();
    let trace = Trace::parse(format!("epoch sample bytes\n{text}").as_bytes()).unwrap();
    let outlook = Outlook::new(&trace, 1);
    let sizes = TierSizes { memory: 1, ssd: 1 };
    let passed = Cell::new(0);
    let curve = Curve { trace: &trace, outlook: &outlook, sizes, substitute: None, chosen: PolicyName::Planned };
    let page = curve.page("photos.tsv", &|accesses| passed.set(passed.get() + accesses));
    assert_eq!(passed.get(), trace.accesses() * Curve::REPLAYS);
    for policy in PolicyName::ALL {
        assert!(page.contains(&format!("<th>{policy}</th>")), "{policy}");
    }
    assert_eq!(page.matches("<tr><td>").count(), 12);
    // The whole trace fits: only the first epoch misses.
    assert!(page.contains(&"<td>0.6667</td>".repeat(7)), "{page}");
    assert!(page.contains("150 accesses of 50 samples with 5000 bytes"));
}

#[test]
fn a_report_says_what_happened_in_words() {
    let trace = Trace::parse(b"epoch job sample\n0\ta\tx\n0\tb\tx\n1\ta\ty\n").unwrap();
    let report = replay(&trace, PolicyName::Lru, 1, 0).to_string();
    assert!(report.starts_with("lru  ") && report.contains("epoch 1") && report.contains("job b"), "{report}");
    assert!(
        report.contains("1 (33.33 %)") && report.contains("left in memory: 1 entries of 1 bytes, of 1\n  y\n"),
        "{report}"
    );
}
