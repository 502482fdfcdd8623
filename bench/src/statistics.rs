//! Quantiles, means and the paired ratio with its interval.
//!
//! Apart from the metrics because these are general and checked against published numbers. Invariant: whatever cannot be said
//! from the values at hand is `None`, never a guess: a quantile with too few values beyond it, a ratio of a missing round.

use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, StudentsT};

/// How many values must lie beyond a quantile for it to be published.
pub const BEYOND_QUANTILE: usize = 10;

/// The sample quantile at `percent` of ascending `sorted`, interpolated between neighbours (Hyndman and Fan's type 7, the
/// default of R and NumPy); none of nothing.
pub fn quantile(sorted: &[f64], percent: u32) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    // Whole numbers as far as they go, so that a quantile that falls on a value is that value.
    let hundredths = last * percent.min(100) as usize;
    let (below, rest) = (hundredths / 100, hundredths % 100);
    let low = sorted[below];
    let high = sorted[(below + 1).min(last)];
    let share = rest as f64 / 100.0;
    Some(low + (high - low) * share)
}

/// [`quantile`], but none of fewer than [`values_needed`].
pub fn published_quantile(sorted: &[f64], percent: u32) -> Option<f64> {
    quantile(sorted, percent).filter(|_| sorted.len() >= values_needed(percent))
}

/// With how many values [`BEYOND_QUANTILE`] lie beyond a quantile: a p99 needs 1,000, a p50 needs 20.
pub fn values_needed(percent: u32) -> usize {
    (BEYOND_QUANTILE * 100).div_ceil(beyond_of_100(percent))
}

/// How many values a round's own quantile takes: for any but the median, one must lie beyond it, or it would only be the round's
/// extreme. The rounds are the replicates and their scatter makes the interval, so that is enough; all of them together need
/// [`values_needed`].
pub fn round_needs(percent: u32) -> usize {
    if percent <= 50 { 1 } else { 100_usize.div_ceil(beyond_of_100(percent)) }
}

/// How many of 100 values lie beyond the quantile; at least 1.
fn beyond_of_100(percent: u32) -> usize {
    100_usize.saturating_sub(percent as usize).max(1)
}

/// An interval of ascending `sorted` that holds the median of what they were drawn from at least 95 times in 100, whatever its
/// distribution: from order statistics, as the sign test has it. None with fewer than 6 values.
pub fn median_interval(sorted: &[f64]) -> Option<[f64; 2]> {
    let below = Binomial::new(0.5, u64::try_from(sorted.len()).ok()?).ok()?;
    // The most values of which at most 2.5 % of draws have fewer below the median.
    let outside = usize::try_from(below.inverse_cdf(0.025)).ok()?.checked_sub(1)?;
    Some([*sorted.get(outside)?, *sorted.get(sorted.len().checked_sub(outside + 1)?)?])
}

/// Ascending copy.
pub fn sorted(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values
}

/// Arithmetic mean; none of nothing.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// How two variants compare over paired rounds.
#[derive(Clone, Debug, PartialEq)]
pub struct PairedRatio {
    /// Geometric mean of the rounds' ratios, to / from: below 1 is less.
    pub ratio: f64,
    /// 95 % interval of it.
    pub interval: [f64; 2],
    /// Each round's ratio.
    pub per_round: Vec<f64>,
}

/// The ratio to / from over paired rounds, with Student's t interval of the mean log-ratio.
///
/// The round is the unit, not the request: requests of one round share its luck. None with fewer than 2 rounds, unequal lengths,
/// or a value that is not positive.
pub fn paired_ratio(from: &[f64], to: &[f64]) -> Option<PairedRatio> {
    let usable = |values: &[f64]| values.iter().all(|value| value.is_finite() && *value > 0.0);
    if from.len() != to.len() || from.len() < 2 || !usable(from) || !usable(to) {
        return None;
    }
    let per_round: Vec<f64> = from.iter().zip(to).map(|(from, to)| to / from).collect();
    let logs: Vec<f64> = per_round.iter().map(|ratio| ratio.ln()).collect();
    let centre = mean(&logs)?;
    let half_width = t_half_width(&logs, centre)?;
    Some(PairedRatio {
        ratio: centre.exp(),
        interval: [(centre - half_width).exp(), (centre + half_width).exp()],
        per_round,
    })
}

/// The mean difference to - from over paired rounds, with Student's t interval; none as for [`paired_ratio`], but any finite
/// value will do.
pub fn paired_difference(from: &[f64], to: &[f64]) -> Option<(f64, [f64; 2])> {
    let usable = |values: &[f64]| values.iter().all(|value| value.is_finite());
    if from.len() != to.len() || from.len() < 2 || !usable(from) || !usable(to) {
        return None;
    }
    let differences: Vec<f64> = from.iter().zip(to).map(|(from, to)| to - from).collect();
    let centre = mean(&differences)?;
    let half_width = t_half_width(&differences, centre)?;
    Some((centre, [centre - half_width, centre + half_width]))
}

/// Half the width of the 95 % t interval of the mean of `values`.
fn t_half_width(values: &[f64], mean: f64) -> Option<f64> {
    let count = values.len() as f64;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let student = StudentsT::new(0.0, 1.0, count - 1.0).ok()?;
    Some(student.inverse_cdf(0.975) * (variance / count).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(left: f64, right: f64, within: f64) {
        assert!((left - right).abs() < within, "{left} is not {right}");
    }

    fn numbers(count: u32) -> Vec<f64> {
        (1..=count).map(f64::from).collect()
    }

    /// R: `quantile(c(15, 20, 35, 40, 50), c(.05, .3, .4, .5, 1))`.
    #[test]
    fn quantiles_are_those_of_r() {
        let values = [15.0, 20.0, 35.0, 40.0, 50.0];
        for (percent, expected) in [(0, 15.0), (5, 16.0), (30, 23.0), (40, 29.0), (50, 35.0), (100, 50.0)] {
            close(quantile(&values, percent).unwrap(), expected, 1e-9);
        }
        assert_eq!(quantile(&[], 50), None);
        assert_eq!(quantile(&[7.0], 99), Some(7.0));
    }

    #[test]
    fn a_quantile_is_published_with_ten_values_beyond_it() {
        for (percent, enough) in [(50, 20), (90, 100), (99, 1000)] {
            assert!(published_quantile(&numbers(enough), percent).is_some(), "p{percent} of {enough}");
            assert_eq!(
                published_quantile(&numbers(enough - 1), percent),
                None,
                "p{percent} of {}",
                enough - 1
            );
        }
        close(published_quantile(&numbers(1000), 99).unwrap(), 990.01, 1e-9);
    }

    #[test]
    fn of_a_rounds_own_values_one_lies_beyond_its_quantile() {
        assert_eq!([50, 90, 99].map(round_needs), [1, 10, 100]);
        assert_eq!([50, 90, 99].map(values_needed), [20, 100, 1000]);
    }

    /// Critical values as every table prints them.
    #[test]
    fn t_values_are_those_of_the_tables() {
        for (rounds, published) in [(2, 12.706), (3, 4.303), (5, 2.776), (10, 2.262), (31, 2.042)] {
            let values = numbers(rounds);
            let average = mean(&values).unwrap();
            let rounds = f64::from(rounds);
            let standard_error = ((rounds + 1.0) / 12.0).sqrt();
            close(t_half_width(&values, average).unwrap() / standard_error, published, 5e-4);
        }
    }

    /// Student's own sleep data; R: `t.test(extra ~ group, paired = TRUE)` says 1.58, 0.7001142 to 2.4598858.
    #[test]
    fn the_interval_is_that_of_students_sleep_data() {
        let differences = [1.2_f64, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4];
        let compared = paired_ratio(&[1.0; 10], &differences.map(f64::exp)).unwrap();
        close(compared.ratio.ln(), 1.58, 1e-9);
        close(compared.interval[0].ln(), 0.700_114_2, 1e-6);
        close(compared.interval[1].ln(), 2.459_885_8, 1e-6);
        let (difference, interval) = paired_difference(&[0.0; 10], &differences).unwrap();
        close(difference, 1.58, 1e-9);
        close(interval[0], 0.700_114_2, 1e-6);
        close(interval[1], 2.459_885_8, 1e-6);
    }

    #[test]
    fn the_ratio_is_to_over_from_and_drift_common_to_both_cancels() {
        let compared = paired_ratio(&[100.0, 200.0, 400.0], &[10.0, 20.0, 40.0]).unwrap();
        close(compared.ratio, 0.1, 1e-12);
        close(compared.interval[0], 0.1, 1e-9);
        close(compared.interval[1], 0.1, 1e-9);
        assert_eq!(compared.per_round.len(), 3);
    }

    /// Ranks as tables of the sign test print them (Conover, Practical Nonparametric Statistics, table A3).
    #[test]
    fn the_medians_interval_is_that_of_the_tables() {
        for (count, low, high) in
            [(6, 1.0, 6.0), (10, 2.0, 9.0), (15, 4.0, 12.0), (20, 6.0, 15.0), (100, 40.0, 61.0)]
        {
            assert_eq!(median_interval(&numbers(count)), Some([low, high]), "of {count}");
        }
        assert_eq!(median_interval(&numbers(5)), None);
        assert_eq!(median_interval(&[]), None);
    }

    #[test]
    fn what_cannot_be_compared_is_none() {
        assert_eq!(paired_ratio(&[1.0], &[1.0]), None);
        assert_eq!(paired_ratio(&[1.0, 2.0], &[1.0]), None);
        assert_eq!(paired_ratio(&[1.0, 0.0], &[1.0, 1.0]), None);
        assert_eq!(paired_ratio(&[1.0, 1.0], &[f64::NAN, 1.0]), None);
        assert_eq!(mean(&[]), None);
        assert_eq!(paired_difference(&[1.0], &[1.0]), None);
        assert_eq!(paired_difference(&[1.0, 2.0], &[f64::INFINITY, 1.0]), None);
    }
}
