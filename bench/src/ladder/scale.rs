//! The one logarithmic scale of a waterfall.
//!
//! Apart from the outputs because terminal and picture place their bars by it. Invariant: every value and interval shown lies on it.

use super::{Line, Way};

/// From the least to the greatest value shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    /// The scale of all `ways`; none where they hold no positive value.
    pub(super) fn of<'a>(ways: impl IntoIterator<Item = &'a Way>) -> Option<Self> {
        let lines = ways.into_iter().flat_map(|way| &way.lines);
        let values = lines.flat_map(|line| {
            let ends = whisker(line).map_or([None; 2], |ends| ends.map(Some));
            [line.before, line.earned.value, ends[0], ends[1]]
        });
        let logs: Vec<f64> = values.flatten().filter(|value| *value > 0.0).map(f64::ln).collect();
        let low = logs.iter().copied().reduce(f64::min)?;
        let high = logs.iter().copied().reduce(f64::max)?;
        // A ladder on which nothing changes stands in the middle.
        let room = if high - low > 0.0 { 0.0 } else { 0.5 };
        Some(Self { low: low - room, high: high + room })
    }

    /// Where `value` lies, from 0 to 1.
    pub(super) fn place(self, value: f64) -> f64 {
        ((value.ln() - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// 1, 2 and 5 times the powers of ten that lie on it; only the powers where that would be many.
    pub(super) fn marks(self) -> Vec<f64> {
        let decades = (self.high - self.low) / std::f64::consts::LN_10;
        let factors: &[f64] = if decades > 4.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let first = (self.low / std::f64::consts::LN_10).floor() as i32;
        let last = (self.high / std::f64::consts::LN_10).ceil() as i32;
        let all =
            (first..=last).flat_map(|power| factors.iter().map(move |factor| factor * 10_f64.powi(power)));
        all.filter(|mark| (self.low..=self.high).contains(&mark.ln())).collect()
    }
}

/// The interval of a line's value: that of its ratio, from the value it is compared with.
pub(super) fn whisker(line: &Line) -> Option<[f64; 2]> {
    let (before, interval) = line.before.zip(line.earned.interval)?;
    Some(interval.map(|ratio| before * ratio))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_lie_on_the_scale() {
        let scale = |low: f64, high: f64| Scale { low: low.ln(), high: high.ln() };
        assert_eq!(scale(0.9, 12.0).marks(), [1.0, 2.0, 5.0, 10.0]);
        assert_eq!(scale(0.3, 0.6).marks(), [0.5]);
        assert_eq!(scale(0.5, 200_000.0).marks().len(), 6);
        assert_eq!([1.0, 10.0, 100.0, 1e9].map(|value| scale(1.0, 100.0).place(value)), [0.0, 0.5, 1.0, 1.0]);
    }
}
