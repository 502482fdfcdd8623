//! Values far from the others of their kind: flagged and counted, never removed.
//!
//! Apart from the statistics because nothing is computed with them: they tell where to look. Invariant: what is flagged is in every
//! figure all the same.

use crate::metrics::{values, warm_ms};
use crate::observation::Observation;
use crate::run_file::Outliers;
use crate::statistics::{mean, published_quantile, quantile, sorted};

/// Beyond this modified z-score a value is an outlier (Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993;
/// <https://www.itl.nist.gov/div898/handbook/eda/section3/eda35h.htm>).
const MODIFIED_Z_SCORE: f64 = 3.5;
/// The 0.75 quantile of the normal distribution: makes the median absolute deviation one standard deviation of it.
const NORMAL_QUARTILE: f64 = 0.6745;
/// Square root of pi / 2: makes the mean absolute deviation one standard deviation of it.
const NORMAL_MEAN_DEVIATION: f64 = 1.2533;
/// With fewer values none is called an outlier. Of normal values the rule flags 4 in 100 of 4 and 1 in 100 of 10: with few, the
/// median of the deviations says too little.
const VALUES_TO_JUDGE: usize = 10;
/// Tukey's outer fence lies so many distances of the quartiles beyond them (Exploratory Data Analysis, 1977).
const OUTER_FENCE: f64 = 3.0;

/// The places of `values` that are far from the others by the modified z-score. Where more than half are equal, the mean of the
/// absolute deviations stands for their median, which is 0.
pub fn far_from_others(values: &[f64]) -> Vec<usize> {
    if values.len() < VALUES_TO_JUDGE {
        return Vec::new();
    }
    let deviations = |median: f64| values.iter().map(move |value| (value - median).abs());
    let scores = || {
        let median = quantile(&sorted(values.iter().copied()), 50)?;
        let median_deviation = quantile(&sorted(deviations(median)), 50)?;
        let mean_deviation = mean(&deviations(median).collect::<Vec<_>>())?;
        let scale = match median_deviation {
            positive if positive > 0.0 => positive / NORMAL_QUARTILE,
            _ => mean_deviation * NORMAL_MEAN_DEVIATION,
        };
        (scale > 0.0).then(|| deviations(median).map(move |deviation| deviation / scale).collect::<Vec<_>>())
    };
    let far = |(place, score): (usize, f64)| (score > MODIFIED_Z_SCORE).then_some(place);
    scores().unwrap_or_default().into_iter().enumerate().filter_map(far).collect()
}

/// Warm invocations beyond the outer fence; none with too few for a third quartile (40).
pub fn warm_outliers(observations: &[&Observation]) -> Option<Outliers> {
    let sorted = sorted(values(observations, warm_ms));
    let upper = published_quantile(&sorted, 75)?;
    let fence_ms = upper + OUTER_FENCE * (upper - quantile(&sorted, 25)?);
    Some(Outliers {
        count: sorted.iter().filter(|value| **value > fence_ms).count() as u64,
        of: sorted.len() as u64,
        fence_ms,
        longest_ms: *sorted.last()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_far_from_the_others_is_flagged_by_its_place() {
        // Median 2.45, median of the deviations 0.25: 3.5 / 0.6745 * 0.25 = 1.297 from the median is the limit.
        let mut values = vec![2.1, 2.2, 2.2, 2.3, 2.4, 2.5, 2.6, 2.7, 2.8, 3.746];
        assert!(far_from_others(&values).is_empty());
        values[9] = 3.748;
        assert_eq!(far_from_others(&values), [9]);
        values[3] = -9.0;
        assert_eq!(far_from_others(&values), [3, 9]);
    }

    #[test]
    fn few_values_have_no_outlier_and_equal_ones_neither() {
        assert!(far_from_others(&[1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1000.0]).is_empty());
        assert!(far_from_others(&[1.0; 12]).is_empty());
        assert!(far_from_others(&[]).is_empty());
    }

    #[test]
    fn where_most_are_equal_the_mean_deviation_judges() {
        let mut values = vec![1.0; 12];
        values[4] = 5.0;
        assert_eq!(far_from_others(&values), [4]);
        // Four of twelve: each is within the scatter that they make themselves.
        (4..8).for_each(|place| values[place] = 5.0);
        assert!(far_from_others(&values).is_empty());
    }
}
