use super::*;

fn fails(text: &str) -> (u64, u64, String) {
    let TraceError { line, column, fault } = Trace::parse(text.as_bytes()).unwrap_err();
    (line, column, fault.to_string())
}

#[test]
fn columns_may_come_in_any_order_and_be_missing() {
    let trace = Trace::parse(b"# key size\n567\t5493\nx y\t7\r\n567\t5493\n\n").unwrap();
    assert_eq!((trace.accesses(), trace.samples(), trace.jobs(), trace.bytes()), (3, 2, 1, 5500));
    assert_eq!(trace.samples.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), ["567", "x y"]);
    let text = "epoch\tjob\tloss\tsample\tflag\tfull_access\tcost\n3\tb\t2.5\t9\t0\t0\t0.25\n3\ta\t2.5\t9\t0\t1\t1\n";
    let trace = Trace::parse(text.as_bytes()).unwrap();
    let access = |job, importance, cost| Access { sample: 0, epoch: 3, bytes: 1, cost, importance, job };
    assert_eq!(trace.accesses, [access(0, 0.625, 0.25), access(1, 2.5, 1.0)]);
    assert_eq!(trace.jobs(), 2);
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let said = |text: &str, line: u64, column: u64, words: &str| {
        let found = fails(text);
        assert_eq!((found.0, found.1), (line, column), "{text:?}: {found:?}");
        assert!(found.2.contains(words), "{text:?}: {found:?}");
    };
    said("", 1, 1, "empty");
    said("# sample\n", 2, 1, "empty");
    said("1\t2\n", 1, 1, "no column \"1\"");
    said("epoch bytes\n", 1, 1, "`sample` or `key`");
    said("sample key\n", 1, 8, "a column for sample already");
    said("epoch sample\n1\n", 2, 2, "1 fields, and the header 2");
    said("epoch sample\n1\t2\t3\n", 2, 5, "3 fields, and the header 2");
    said("epoch sample\n0\t1\n-1\t2\n", 3, 1, "epoch is \"-1\"");
    said("epoch sample\n2\t1\n1\t2\n", 3, 1, "epoch is 1 after 2");
    said("sample bytes\na\t99999999999999\n", 2, 3, "whole number of bytes");
    for loss in ["nan", "inf", "-1", "1e10", ""] {
        said(&format!("sample loss\na\t{loss}\n"), 2, 3, "a number from 0 to 1e9");
    }
    said("sample flag\na\t2\n", 2, 3, "0 or 1");
    said("sample\n\n\na\n", 2, 1, "a name of 1 to 1024 bytes");
    said(&format!("sample\n{}\n", "a".repeat(1025)), 2, 1, "a name of 1 to 1024 bytes");
    said(&format!("sample\n{}\n", "a".repeat(5000)), 2, 1, "more than 2048 bytes");
    let TraceError { line, column, fault } = Trace::parse(b"sample\na\nb\xff\n").unwrap_err();
    assert_eq!((line, column, fault), (3, 2, TraceFault::NotText));
}

#[test]
fn epochs_follow_each_other_within_each_job() {
    let text = b"job epoch sample\na\t1\tx\nb\t0\tx\na\t1\ty\n";
    assert_eq!(Trace::parse(text).unwrap().accesses(), 3);
}
