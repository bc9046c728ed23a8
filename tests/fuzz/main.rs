//! The fuzz targets on any compiler: what `fuzz/corpus/` holds, and mutations of it that are drawn from a seed.
//!
//! libFuzzer finds new inputs (`.ci/fuzz`); these tests hold the code to what it has found, and look a little further in
//! every run. `ALERTFERRY_FUZZ_CASES` says how many mutations are tried of each target, `ALERTFERRY_FUZZ_SEED` draws others.

mod mutation;
#[path = "../../fuzz/src/targets/mod.rs"]
mod targets;

use std::path::PathBuf;

use proptest::test_runner::{Config, RngSeed, TestError, TestRunner};

/// So many mutations of each target are tried unless the environment says otherwise; the slow ones open files or a store.
const CASES: u32 = 4_000;
const SLOW: [&str; 3] = ["filter", "found", "settings"];
/// How much fewer of those.
const SLOWER: u32 = 4;
/// What mutations are drawn from. The same in every run: what fails in one fails in the next.
const SEED: u64 = 20_261_125;

/// The inputs of a target in the order of their names.
fn corpus(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let place = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let entries = std::fs::read_dir(&place).expect("a corpus");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), std::fs::read(&path).expect("readable"))).collect()
}

#[expect(clippy::disallowed_methods, reason = "how much is tried is asked of whoever runs the tests")]
fn number<T: std::str::FromStr>(variable: &str) -> Option<T> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Runs a target over its corpus, and over mutations of it.
fn held(name: &str) {
    let corpus = corpus(name);
    assert!(corpus.len() > 5, "{name}: the corpus is there");
    for (path, input) in &corpus {
        let done = std::panic::catch_unwind(|| targets::run(name, input));
        assert!(done.is_ok(), "broken by {}", path.display());
    }
    let cases = if SLOW.contains(&name) { CASES / SLOWER } else { CASES };
    let config = Config {
        cases: number("ALERTFERRY_FUZZ_CASES").unwrap_or(cases),
        rng_seed: RngSeed::Fixed(number("ALERTFERRY_FUZZ_SEED").unwrap_or(SEED)),
        failure_persistence: None,
        ..Config::default()
    };
    let inputs: Vec<Vec<u8>> = corpus.into_iter().map(|(_, input)| input).collect();
    let tried = TestRunner::new(config).run(&mutation::of(inputs), |input| {
        targets::run(name, &input);
        Ok(())
    });
    match tried {
        Ok(()) => {}
        Err(TestError::Fail(why, input)) => panic!("{name} is broken by {:?}: {why}", String::from_utf8_lossy(&input)),
        Err(error @ TestError::Abort(_)) => panic!("{name}: {error}"),
    }
}

/// One test for each target, so that they run side by side.
macro_rules! hold {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            held(stringify!($name));
        })*

        #[test]
        fn every_target_is_held_here_and_by_libfuzzer() {
            let here = [$(stringify!($name)),*];
            let known: Vec<_> = targets::TARGETS.iter().map(|(name, _)| *name).collect();
            assert_eq!(here[..], known[..]);
            for name in here {
                let path = format!("{}/fuzz/fuzz_targets/{name}.rs", env!("CARGO_MANIFEST_DIR"));
                let text = std::fs::read_to_string(&path).expect("a fuzz target");
                assert!(text.contains(&format!("targets::run(\"{name}\", data)")), "{path}");
            }
        }
    };
}

hold!(alert cron filter found settings split ticks token url wait);
