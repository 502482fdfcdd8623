//! Which rate to try next, and when a climb is over.
//!
//! Apart from the driving because it is pure: it is told how each step went and knows no clock. A climb rises by a factor until a
//! step fails twice in a row (once may be noise), then halves the gap between the last rate that passed and the first that did not,
//! on the scale of their logarithms. Invariant: it ends after [`Path::most_steps`] steps at the latest, and no rate is above the ceiling.

/// The rates a climb may go through.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Path {
    /// The first rate, requests a second.
    pub start: f64,
    /// Each further rate is so many times the one before; above 1.
    pub factor: f64,
    /// The last rate, where nothing stops it earlier.
    pub ceiling: f64,
    /// How often the gap between passed and failed is halved.
    pub bisections: u32,
}

/// What made a step fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Too many failed or were dropped.
    Errors,
    /// Too many were slow.
    Apdex,
    /// The host's processors were the bottleneck.
    Host,
    /// The bench itself sent too late.
    Generator,
}

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// The rate was carried.
    Passed,
    /// It was not.
    Failed(Limit),
}

/// What ended a climb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The lowest rate above the knee failed by this.
    Limit(Limit),
    /// The ceiling was carried.
    End,
}

/// One climb.
#[derive(Clone, Debug)]
pub struct Climb {
    path: Path,
    passed: Option<f64>,
    failed: Option<(f64, Limit)>,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    /// By the factor, to `rate`; `again` if it failed once already.
    Rising {
        rate: f64,
        again: bool,
    },
    /// Between passed and failed.
    Closing {
        rate: f64,
        left: u32,
    },
    Over,
}

impl Limit {
    /// Its word in `run.json`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Errors => "errors",
            Self::Apdex => "apdex",
            Self::Host => "host",
            Self::Generator => "generator",
        }
    }
}

impl Ending {
    /// Its word in `run.json`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Limit(limit) => limit.word(),
            Self::End => "end",
        }
    }
}

impl Path {
    /// The path of `round` (from 1) out of `rounds`: its start is raised by a part of the finest step, so that the rounds' rates
    /// interleave and their mean is finer than any one round's. The same for all variants of a round.
    pub fn of_round(self, round: u32, rounds: u32) -> Self {
        let part = f64::from(round.saturating_sub(1)) / f64::from(rounds.max(1));
        Self { start: (self.start * self.finest().powf(part)).min(self.ceiling), ..self }
    }

    /// The ratio between the rate that failed and the knee, once the gap is closed.
    pub fn finest(self) -> f64 {
        self.factor.powf(0.5_f64.powi(i32::try_from(self.bisections).unwrap_or(i32::MAX)))
    }

    /// How many steps a climb takes at most: every rate twice, and the halvings.
    pub fn most_steps(self) -> u32 {
        let rises = (self.ceiling / self.start).ln() / self.factor.ln();
        2 * (rises.max(0.0).ceil() as u32 + 1) + self.bisections
    }
}

impl Climb {
    /// A climb that has not begun.
    pub fn new(path: Path) -> Self {
        let rate = path.start.min(path.ceiling);
        Self { path, passed: None, failed: None, stage: Stage::Rising { rate, again: false } }
    }

    /// The rate to try now; none once it is over.
    pub fn next_rate(&self) -> Option<f64> {
        match self.stage {
            Stage::Rising { rate, .. } | Stage::Closing { rate, .. } => Some(rate),
            Stage::Over => None,
        }
    }

    /// Tells it how the step at [`Climb::next_rate`] went.
    pub fn judged(&mut self, judgement: Judgement) {
        self.stage = match (self.stage, judgement) {
            (Stage::Rising { rate, .. }, Judgement::Passed) => {
                self.passed = Some(rate);
                let next = (rate * self.path.factor).min(self.path.ceiling);
                if next > rate { Stage::Rising { rate: next, again: false } } else { Stage::Over }
            }
            (Stage::Rising { rate, again: false }, Judgement::Failed(_)) => {
                Stage::Rising { rate, again: true }
            }
            (Stage::Rising { rate, again: true }, Judgement::Failed(limit)) => {
                self.failed = Some((rate, limit));
                self.closing(self.path.bisections)
            }
            (Stage::Closing { rate, left }, judgement) => {
                match judgement {
                    Judgement::Passed => self.passed = Some(rate),
                    Judgement::Failed(limit) => self.failed = Some((rate, limit)),
                }
                self.closing(left.saturating_sub(1))
            }
            (Stage::Over, _) => Stage::Over,
        };
    }

    /// The greatest rate that passed; none if none did.
    pub fn knee(&self) -> Option<f64> {
        self.passed
    }

    /// What ended it, so far.
    pub fn ending(&self) -> Ending {
        self.failed.map_or(Ending::End, |(_, limit)| Ending::Limit(limit))
    }

    fn closing(&self, left: u32) -> Stage {
        match (left, self.passed, self.failed) {
            (1.., Some(passed), Some((failed, _))) => Stage::Closing { rate: (passed * failed).sqrt(), left },
            _ => Stage::Over,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A path of random numbers, all of them sensible.
    fn any_path(random: &mut fastrand::Rng) -> Path {
        let start = 1.0 + random.f64() * 50.0;
        Path {
            start,
            factor: 1.05 + random.f64() * 2.0,
            ceiling: start * (1.0 + random.f64() * 200.0),
            bisections: random.u32(0..6),
        }
    }

    /// Climbs against `answer`; tells the climb and every rate tried, in order.
    fn climbed(path: Path, mut answer: impl FnMut(f64) -> Judgement) -> (Climb, Vec<(f64, Judgement)>) {
        let mut climb = Climb::new(path);
        let mut tried = Vec::new();
        while let Some(rate) = climb.next_rate() {
            let judgement = answer(rate);
            tried.push((rate, judgement));
            climb.judged(judgement);
            assert!(tried.len() <= path.most_steps() as usize, "{path:?} does not end: {tried:?}");
        }
        (climb, tried)
    }

    fn carries(limit: f64) -> impl Fn(f64) -> Judgement {
        move |rate| if rate <= limit { Judgement::Passed } else { Judgement::Failed(Limit::Errors) }
    }

    #[test]
    fn a_climb_doubles_tries_again_and_halves_the_gap() {
        let path = Path { start: 10.0, factor: 2.0, ceiling: 1000.0, bisections: 2 };
        let (climb, tried) = climbed(path, carries(50.0));
        let rates: Vec<f64> = tried.iter().map(|(rate, _)| rate.round()).collect();
        assert_eq!(rates, [10.0, 20.0, 40.0, 80.0, 80.0, 57.0, 48.0]);
        assert_eq!(climb.knee().map(f64::round), Some(48.0));
        assert_eq!(climb.ending(), Ending::Limit(Limit::Errors));
    }

    #[test]
    fn the_knee_of_any_monotone_function_is_within_the_finest_step_below_its_limit() {
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..5_000 {
            let path = any_path(&mut random);
            let limit = path.start * 0.5 + random.f64() * path.ceiling * 1.2;
            let (climb, tried) = climbed(path, carries(limit));
            let greatest = tried.iter().filter(|(rate, _)| *rate <= limit).map(|(rate, _)| *rate);
            assert_eq!(climb.knee(), greatest.reduce(f64::max), "{path:?} limit {limit}");
            match climb.knee() {
                None => assert!(limit < path.start),
                Some(knee) if climb.ending() == Ending::End => assert_eq!(knee, path.ceiling),
                Some(knee) => assert!(knee <= limit && limit < knee * path.finest() * (1.0 + 1e-9)),
            }
        }
    }

    #[test]
    fn whatever_the_answers_it_ends_and_stays_between_start_and_ceiling() {
        let mut random = fastrand::Rng::with_seed(2);
        let limits = [Limit::Errors, Limit::Apdex, Limit::Host, Limit::Generator];
        for _ in 0..5_000 {
            let path = any_path(&mut random);
            let share = random.f64();
            let (climb, tried) = climbed(path, |_| match random.f64() < share {
                true => Judgement::Passed,
                false => Judgement::Failed(limits[random.usize(0..limits.len())]),
            });
            assert!(tried.iter().all(|(rate, _)| (path.start..=path.ceiling).contains(rate)), "{tried:?}");
            let passed = tried.iter().filter(|(_, judgement)| *judgement == Judgement::Passed);
            assert_eq!(climb.knee(), passed.map(|(rate, _)| *rate).reduce(f64::max));
            if let (Some(knee), Ending::Limit(limit)) = (climb.knee(), climb.ending()) {
                // The last of the failures at the lowest rate above the knee.
                let mut above = tried.iter().filter(|(rate, _)| *rate > knee);
                let lowest = above.clone().map(|(rate, _)| *rate).reduce(f64::min).unwrap();
                let last = above.rfind(|(rate, _)| *rate == lowest).unwrap();
                assert_eq!(last.1, Judgement::Failed(limit));
            }
        }
    }

    #[test]
    fn one_bad_try_of_each_rate_does_not_end_a_climb() {
        let mut random = fastrand::Rng::with_seed(3);
        for _ in 0..1_000 {
            let path = Path { bisections: 0, ..any_path(&mut random) };
            let limit = path.start + random.f64() * path.ceiling;
            let mut last = 0.0;
            let (noisy, _) = climbed(path, |rate| {
                let first = rate != std::mem::replace(&mut last, rate);
                if first { Judgement::Failed(Limit::Apdex) } else { carries(limit)(rate) }
            });
            assert_eq!(noisy.knee(), climbed(path, carries(limit)).0.knee());
        }
    }

    #[test]
    fn the_rounds_rates_interleave_within_the_finest_step() {
        let path = Path { start: 20.0, factor: 2.0, ceiling: 1000.0, bisections: 2 };
        let starts: Vec<f64> = (1..=4).map(|round| path.of_round(round, 4).start).collect();
        assert_eq!(starts[0], 20.0);
        let even = starts.windows(2).all(|pair| (pair[1] / pair[0] - 2_f64.powf(1.0 / 16.0)).abs() < 1e-9);
        assert!(even, "{starts:?}");
    }
}
