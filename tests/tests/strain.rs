//! A server withstands whoever does not behave: the small forms of the situations of `scripts/torture server`. No time
//! is judged here, but that what must come does.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use std::sync::{Mutex, PoisonError};

use headwater_tests::strain::{Form, Stage, find, table};

/// Some take a gigabyte, and all of them both cores.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Tries a situation: each of its figures has to be as it is wanted.
fn withstands(situation: &str) {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let stage = Stage::new(Form::Small, None).unwrap();
    let tried = find(situation).unwrap().run(&stage);
    println!("{}", table(std::slice::from_ref(&tried)));
    assert!(tried.kept(), "{}", table(&[tried]));
}

#[test]
fn a_stream_of_large_photos_that_nobody_reads_leaves_memory_for_others() {
    withstands("unread-large");
}

#[test]
fn eight_streams_that_nobody_reads_leave_memory_for_others() {
    withstands("unread-streams");
}

#[test]
fn paused_trainers_leave_memory_for_others() {
    withstands("paused");
}

#[test]
fn streams_of_stored_files_that_nobody_reads_leave_memory_for_every_cut() {
    withstands("unread-encoded");
}

#[test]
fn who_does_not_read_is_told_so_and_loses_the_stream() {
    withstands("unread-end");
}

#[test]
fn an_epoch_beside_readers_that_stopped_is_complete() {
    withstands("beside");
}

#[test]
fn slow_readers_take_no_more_memory_than_the_server_may_have() {
    withstands("bounded");
}

#[test]
fn the_largest_file_that_is_let_in_is_served_at_every_cut() {
    withstands("largest");
}

#[test]
fn silent_connections_do_not_hold_the_ports() {
    withstands("silent");
}

#[test]
fn a_full_house_says_so_and_serves_later() {
    withstands("full-house");
}

#[test]
fn a_program_that_is_stopped_leaves_memory_for_others() {
    withstands("stopped");
}

#[test]
fn strangers_keep_no_epoch_from_its_end() {
    withstands("strangers");
}

#[test]
fn a_client_with_many_calls_leaves_others_their_share() {
    withstands("shares");
}

#[test]
fn ports_answer_while_a_listing_does_not_end() {
    withstands("listing");
}

#[test]
fn a_terminal_that_closes_cuts_no_stream_off() {
    withstands("hang-up");
}

#[test]
fn a_log_that_cannot_be_written_changes_nothing() {
    withstands("log");
}

#[test]
fn fifos_in_the_photo_index_hold_nobody_up() {
    withstands("index-fifo");
}

#[test]
fn a_photo_index_that_is_deleted_under_a_server_is_made_again_once() {
    withstands("index-deleted");
}

#[test]
fn entries_of_photos_that_are_gone_are_dropped() {
    withstands("index-dead");
}

#[test]
fn an_index_of_tar_files_goes_on_where_a_server_was_killed() {
    withstands("members");
}

#[test]
fn a_bucket_of_many_objects_is_served_again_from_what_was_kept() {
    withstands("objects");
}

#[test]
fn a_photo_that_is_gone_fails_by_name_at_every_cut() {
    withstands("photo-gone");
}
