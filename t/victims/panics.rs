/*
 * panics: Rust's, in a program that aborts for them (-C panic=abort), and in
 * one that unwinds.
 *
 * What the report is to say, as an extended regular expression:
 * cause index: aborted: Rust panic at [^:]*panics\.rs:27:5: index out of
 *  bounds: the len is 3 but the index is 7
 * cause words: aborted: Rust panic at [^:]*panics\.rs:63:20: nothing to add
 * cause formatted: aborted: Rust panic at [^:]*panics\.rs:64:24: made of 3
 * cause unwrap: aborted: Rust panic at [^:]*panics\.rs:65:[0-9]+: called .* value:
 *  "bad"
 * cause thread: aborted: Rust panic at [^:]*panics\.rs:27:5: index out of .*
 * cause long: aborted: Rust panic at [^:]*panics\.rs:67:19: x{200,}\.\.\.
 * cause value: aborted: Rust panic at [^:]*panics\.rs:68:20
 * cause callback: aborted: Rust panic at [^:]*panics\.rs:31:5: comparing [123]
 * cause abort: aborted
 * cause leftover: aborted
 */
use std::any::Any;
use std::env;
use std::panic;
use std::panic::Location;
use std::ptr;

#[inline(never)]
fn leaf(v: &[i32], i: usize) -> i32 {
    v[i]
}

extern "C" fn compare(a: &i32, _: &i32) -> i32 {
    panic!("comparing {}", a)
}

extern "C" {
    fn qsort(
        base: *mut i32,
        n: usize,
        size: usize,
        f: extern "C" fn(&i32, &i32) -> i32,
    );
}

#[inline(never)]
fn place() -> &'static Location<'static> {
    Location::caller()
}

/* What std tells its hook, as an earlier panic may have left it. */
fn leftover() {
    let payload: &(dyn Any + Send) = &"of an earlier panic";
    let hook = (payload, place(), false, true);

    unsafe { ptr::read_volatile(&&hook) };
    std::process::abort();
}

fn main() {
    let how = env::args().nth(1).unwrap_or_default();
    let mut v = vec![1, 2, 3];

    match how.as_str() {
        "index" => println!("{}", leaf(&v, env::args().count() + 5)),
        "words" => panic!("nothing to add"),
        "formatted" => panic!("made of {}", v.len()),
        "unwrap" => Err::<(), _>("bad").unwrap(),
        "thread" => drop(std::thread::spawn(move || leaf(&v, 9)).join()),
        "long" => panic!("{}", "x".repeat(10000)),
        "value" => panic::panic_any(5),
        "callback" => unsafe { qsort(v.as_mut_ptr(), 3, 4, compare) },
        "abort" => std::process::abort(),
        "leftover" => leftover(),
        _ => {}
    }
}
