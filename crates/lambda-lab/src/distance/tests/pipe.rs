//! One direction, with instants made by hand.

use std::io::{self, ErrorKind, Write};
use std::time::{Duration, Instant};

use crate::distance::pipe::{CAPACITY, Parcel, Pipe, Released};

const MILLISECOND: Duration = Duration::from_millis(1);

/// Takes `room` bytes, and says `WouldBlock` from then on.
struct Receiver {
    taken: Vec<u8>,
    room: usize,
}

impl Write for Receiver {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = bytes.len().min(self.room);
        if length == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.room -= length;
        self.taken.extend_from_slice(&bytes[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn receiver(room: usize) -> Receiver {
    Receiver { taken: Vec::new(), room }
}

fn bytes(text: &[u8]) -> Parcel {
    Parcel::Bytes { bytes: text.to_vec(), written: 0 }
}

#[test]
fn each_parcel_leaves_at_its_own_instant_and_not_after_the_ones_before_it() {
    let begun = Instant::now();
    let mut pipe = Pipe::default();
    for number in 0..10_u8 {
        pipe.push(bytes(&[number]), begun + MILLISECOND * (100 + u32::from(number)));
    }
    let mut receiver = receiver(usize::MAX);
    assert_eq!(pipe.release(begun + MILLISECOND * 99, &mut receiver).unwrap(), Released::Waiting);
    assert!(receiver.taken.is_empty());
    for number in 0..10_u8 {
        // All ten are under way at once: the last is due 9 ms, not 900 ms, after the first.
        assert_eq!(pipe.next_due(), Some(begun + MILLISECOND * (100 + u32::from(number))));
        pipe.release(begun + MILLISECOND * (100 + u32::from(number)), &mut receiver).unwrap();
        assert_eq!(receiver.taken, (0..=number).collect::<Vec<_>>());
    }
}

#[test]
fn no_parcel_overtakes_the_one_before_it() {
    let begun = Instant::now();
    let mut pipe = Pipe::default();
    pipe.push(bytes(b"slow "), begun + MILLISECOND * 3);
    pipe.push(bytes(b"quick"), begun + MILLISECOND);
    let mut receiver = receiver(usize::MAX);
    pipe.release(begun + MILLISECOND * 2, &mut receiver).unwrap();
    assert!(receiver.taken.is_empty());
    pipe.release(begun + MILLISECOND * 3, &mut receiver).unwrap();
    assert_eq!(receiver.taken, b"slow quick");
}

#[test]
fn a_full_pipe_reads_no_more_until_bytes_have_left_it() {
    let now = Instant::now();
    let mut pipe = Pipe::default();
    let mut pushed = 0;
    while pipe.has_room() {
        pipe.push(bytes(&[7; 1000]), now);
        pushed += 1000;
    }
    assert!((CAPACITY..CAPACITY + 1000).contains(&pushed), "{pushed}");
    let mut receiver = receiver(500);
    assert_eq!(pipe.release(now, &mut receiver).unwrap(), Released::Blocked);
    assert!(!pipe.has_room(), "half a parcel is still held whole");
    receiver.room = 500;
    assert_eq!(pipe.release(now, &mut receiver).unwrap(), Released::Blocked);
    assert!(pipe.has_room());
    receiver.room = usize::MAX;
    assert_eq!(pipe.release(now, &mut receiver).unwrap(), Released::Waiting);
    assert_eq!(receiver.taken.len(), pushed);
}

#[test]
fn an_end_comes_after_the_bytes_before_it_and_nothing_comes_after_it() {
    let now = Instant::now();
    for (last, told) in [(Parcel::End, Released::End), (Parcel::Reset, Released::Reset)] {
        let mut pipe = Pipe::default();
        pipe.push(bytes(b"bytes"), now);
        pipe.push(last, now + MILLISECOND);
        pipe.push(bytes(b" too late"), now);
        assert!(!pipe.has_room() && !pipe.is_finished());
        let mut receiver = receiver(usize::MAX);
        assert_eq!(pipe.release(now, &mut receiver).unwrap(), Released::Waiting);
        assert_eq!(pipe.release(now + MILLISECOND, &mut receiver).unwrap(), told);
        assert_eq!((receiver.taken.as_slice(), pipe.is_finished()), (&b"bytes"[..], true));
        assert_eq!(pipe.next_due(), None);
    }
}

#[test]
fn what_is_under_way_to_a_receiver_that_is_gone_is_forgotten() {
    let now = Instant::now();
    let mut pipe = Pipe::default();
    pipe.push(bytes(b"bytes"), now);
    pipe.abandon();
    assert!(pipe.is_finished() && !pipe.has_room() && pipe.next_due().is_none());
}
