//! What a text of settings says of a dataset, and what it cannot say.

use super::*;
use crate::kind::Kind;
use crate::site::Site;

fn parsed(text: &str) -> DatasetSpec {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn a_spec_reads_what_it_prints() {
    for text in [
        "photos=/srv/photos",
        "train=/srv/shards-{00..10}.tar,partition=2/3,keys=shard",
        "t=s3://bucket/data,labels=s3://bucket/labels.csv,classes=/srv/classes.txt,label=kind,key=file,fields=a+b",
        "t=parquet:data,image=photo",
        "t=/srv/a,b{1,2}/c",
        r"t=/srv/year\,class=cat,classes=c++,java",
        "t=folder:/srv/a.tar",
        "t=/srv,classes=cat+dog",
    ] {
        assert_eq!(parsed(text).to_string(), text);
        assert_eq!(parsed(&parsed(text).to_string()), parsed(text));
    }
    let spec = parsed(r"t=/srv/year\,class=cat,labels=/a\,key=b,label=x");
    assert_eq!(spec.source.location.pattern(), &Site::Local("/srv/year,class=cat".into()));
    assert_eq!(spec.source.options.labels, Some(Site::Local("/a,key=b".into())));
    assert_eq!(spec.source.options.label.as_deref(), Some("x"));
}

#[test]
fn what_a_text_cannot_say_is_refused_with_the_fix() {
    for (text, fix) in [
        ("/srv/photos", "give NAME=URI"),
        ("a b=/srv/photos", "is not a dataset name"),
        ("a=", "give a path or s3://"),
        ("a=/srv,lable=x", "there is no option \"lable\": options are partition, labels,"),
        ("a=/srv,partition=4/3", "option partition=4/3: "),
        ("a=/srv,labels=", "option labels=: no place is given"),
        ("a=/srv,label=", "give the name of a column"),
        ("a=/srv,fields=a++b", "give the name of a column"),
        ("a=/srv,classes=a+b+a", "class \"a\" is given twice"),
        ("a=/srv,classes=a++b", "a class without a name"),
        ("a=/srv,classes=a+b,classes=c", "option classes is given twice"),
        ("a=x.tar,keys=file", "give keys=shard"),
        ("a=x.parquet,keys=shard", "option keys is of tar files, and this dataset is of kind parquet: leave it out"),
        ("a=x.tar,image=photo", "option image is of Parquet files"),
        ("a=folder:x,key=file", "option key is of Parquet files and of labels=FILE"),
        ("a=x.tgz", "repack it with"),
    ] {
        let error = text.parse::<DatasetSpec>().unwrap_err().to_string();
        assert!(error.contains(fix), "{text}: {error}");
    }
}

#[test]
fn an_option_waits_for_a_kind_that_nobody_knows_yet() {
    let source = "/srv/x,keys=shard".parse::<DatasetSource>().unwrap();
    assert!(source.options.check(Kind::Tar).is_ok());
    assert!(source.options.check(Kind::Folder).is_err());
}
