//! One case: a behaviour with a name, what it needs to be judged, and the figures it wants shown.
//!
//! Apart from the runner so that the cases read as plain functions. Invariant: a case that cannot be judged here is skipped with
//! its reason, never passed.

use std::sync::{Mutex, PoisonError, RwLock};

use libtest_mimic::Trial;

use crate::support::world::World;

/// What a case cannot be judged without.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Need {
    /// A backend that enforces the CPU share.
    CpuShare,
    /// A backend that enforces the memory limit.
    MemoryLimit,
    /// A backend that reaches processes wherever they have gone.
    Strays,
    /// A package of the judges' Python, by the module it is imported as.
    Python(&'static str),
    /// AWS's runtime client for Node.
    Node,
}

/// A behaviour and the function that judges it.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    needs: &'static [Need],
    alone: bool,
    judge: fn(),
}

/// Ordinary cases share this; a case that measures takes it alone.
static MACHINE: RwLock<()> = RwLock::new(());

static FIGURES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Shows `figure` when all cases have run.
pub(crate) fn show(figure: String) {
    FIGURES.lock().unwrap_or_else(PoisonError::into_inner).push(figure);
}

/// The figures so far.
pub(crate) fn figures() -> Vec<String> {
    FIGURES.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

impl Case {
    /// A case that `judge` decides; [`case!`] gives it its name.
    pub(crate) const fn new(name: &'static str, judge: fn()) -> Self {
        Self { name, needs: &[], alone: false, judge }
    }

    /// Skipped where one of `needs` is not met.
    pub(crate) const fn needs(self, needs: &'static [Need]) -> Self {
        Self { needs, ..self }
    }

    /// Run while no other case does, because it measures.
    pub(crate) const fn alone(self) -> Self {
        Self { alone: true, ..self }
    }

    /// Why the case cannot be judged in `world`; none if it can.
    pub(crate) fn skipped_because(&self, world: &World) -> Option<String> {
        self.needs.iter().find_map(|need| world.lacks(*need))
    }

    /// The case as the runner takes it; without a world it is only listed.
    pub(crate) fn trial(self, world: Option<&World>) -> Trial {
        let ignored = world.is_some_and(|world| self.skipped_because(world).is_some());
        let Self { name, alone, judge, .. } = self;
        let judged = move || {
            if alone {
                let _alone = MACHINE.write().unwrap_or_else(PoisonError::into_inner);
                judge();
            } else {
                let _shared = MACHINE.read().unwrap_or_else(PoisonError::into_inner);
                judge();
            }
            Ok(())
        };
        Trial::test(name, judged).with_ignored_flag(ignored)
    }
}

/// `case!(area, behaviour)`: the case named `area::behaviour`, judged by the function `behaviour`.
macro_rules! case {
    ($area:ident, $behaviour:ident) => {
        $crate::case::Case::new(concat!(stringify!($area), "::", stringify!($behaviour)), $behaviour)
    };
}
pub(crate) use case;
