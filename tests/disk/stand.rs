//! Owns running the program on a bad disk, and what must hold afterwards.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use alertferry_simulator::{DEFAULT_SECRET, Simulator};

use crate::shim::{EIO, Plan};
use crate::support::{House, Said};

/// A program on a bad disk that has not ended by then hangs. Each lock is waited for five seconds.
const HANGS: Duration = Duration::from_secs(90);

/// Runs a command to its end, which must come, and be no crash.
pub fn run(mut command: Command) -> Said {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    let begun = Instant::now();
    while child.try_wait().expect("a child").is_none() {
        if begun.elapsed() > HANGS {
            child.kill().expect("killed");
            panic!("it hangs: {:?}", child.wait_with_output());
        }
        std::thread::park_timeout(Duration::from_millis(3));
    }
    let output = child.wait_with_output().expect("its output");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    let said = Said { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) };
    assert_no_crash(&said);
    said
}

/// A crash is an end by a signal, or a panic that was said.
pub fn assert_no_crash(said: &Said) {
    assert!(said.code.is_some_and(|code| code != 101 && code != 70), "it crashed: {said:?}");
    let all = format!("{}{}", said.stdout, said.stderr);
    assert!(!all.contains("panicked") && !all.contains("a defect of"), "{said:?}");
    assert!(!all.contains(DEFAULT_SECRET), "a secret is said: {said:?}");
}

/// A program that did not come to its end says what is wrong with the disk.
pub fn assert_tells(plan: Plan, said: &Said) {
    let code = said.code.expect("an exit code");
    let right: &[i32] = match (plan.errno, plan.class) {
        // The indexes of words and values take a page that cannot be read for a damaged one.
        (EIO, "read") => &[0, 65, 74],
        (EIO, _) => &[0, 74],
        // A file that cannot be opened for want of room is no matter of waiting.
        _ => &[0, 74, 75],
    };
    assert!(right.contains(&code), "{plan:?}: {said:?}");
}

/// On a good disk again, one run makes up for everything.
pub fn assert_heals(house: &House, sim: &Simulator, tried: &str) {
    let said = run(house.command(&["sync"]));
    assert_eq!(said.code, Some(0), "{tried}: it does not heal: {said:?}");
    house.assert_equals_truth(sim, &sim.world().with(|world| world.tenant_ids()));
}
