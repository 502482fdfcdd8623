//! The difference of two means whose values were not paired: Welch's t interval.
//!
//! Apart from the other statistics because those are of paired rounds, and two runs share none. Invariant: equal variances are
//! never assumed; with fewer than 2 values on a side there is no interval, and none is made up.

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::statistics::mean;

/// How the mean of one sample differs from another's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Welch {
    /// Mean of `to` less mean of `from`.
    pub difference: f64,
    /// 95 % interval of it.
    pub interval: [f64; 2],
    /// Degrees of freedom by Welch and Satterthwaite.
    pub degrees_of_freedom: f64,
}

/// Compares the means of `from` and `to`, which need not be of one length (Welch 1947, <https://doi.org/10.1093/biomet/34.1-2.28>).
///
/// None with fewer than 2 values on a side, or a value that is not finite.
pub fn welch(from: &[f64], to: &[f64]) -> Option<Welch> {
    let (from_mean, from_error) = mean_and_squared_error(from)?;
    let (to_mean, to_error) = mean_and_squared_error(to)?;
    let difference = to_mean - from_mean;
    let squared_error = from_error + to_error;
    let freedom = |count: usize| count as f64 - 1.0;
    // Where nothing scatters, no distribution is asked: the interval is the difference itself.
    if squared_error == 0.0 {
        let degrees_of_freedom = freedom(from.len()) + freedom(to.len());
        return Some(Welch { difference, interval: [difference; 2], degrees_of_freedom });
    }
    let degrees_of_freedom = squared_error.powi(2)
        / (from_error.powi(2) / freedom(from.len()) + to_error.powi(2) / freedom(to.len()));
    let student = StudentsT::new(0.0, 1.0, degrees_of_freedom).ok()?;
    let half_width = student.inverse_cdf(0.975) * squared_error.sqrt();
    Some(Welch {
        difference,
        interval: [difference - half_width, difference + half_width],
        degrees_of_freedom,
    })
}

/// The mean of `values` and the square of its standard error.
fn mean_and_squared_error(values: &[f64]) -> Option<(f64, f64)> {
    if values.len() < 2 || !values.iter().all(|value| value.is_finite()) {
        return None;
    }
    let (mean, count) = (mean(values)?, values.len() as f64);
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    Some((mean, variance / count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(left: f64, right: f64, within: f64) {
        assert!((left - right).abs() < within, "{left} is not {right}");
    }

    /// Student's sleep data as R has it; `t.test(extra ~ group, data = sleep)` prints t = -1.8608, df = 17.776, -3.3654832 to
    /// 0.2054832, means 0.75 and 2.33.
    #[test]
    fn the_interval_is_that_of_r_on_the_sleep_data() {
        let first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
        let second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
        // R subtracts the second group from the first.
        let compared = welch(&second, &first).unwrap();
        close(compared.difference, -1.58, 1e-9);
        close(compared.interval[0], -3.365_483_2, 1e-6);
        close(compared.interval[1], 0.205_483_2, 1e-6);
        close(compared.degrees_of_freedom, 17.776, 5e-4);
    }

    /// The degrees of freedom by hand, from the formula.
    #[test]
    fn lengths_and_scatters_may_differ() {
        let compared = welch(&[10.0, 20.0, 60.0], &[1.0, 2.0, 3.0, 4.0]).unwrap();
        close(compared.difference, -27.5, 1e-9);
        // The squared errors are 5/12 and 700/3.
        let squares: (f64, f64) = (5.0 / 12.0, 700.0 / 3.0);
        let expected = (squares.0 + squares.1).powi(2) / (squares.0.powi(2) / 3.0 + squares.1.powi(2) / 2.0);
        close(compared.degrees_of_freedom, expected, 1e-9);
        let middle = f64::midpoint(compared.interval[0], compared.interval[1]);
        close(middle, compared.difference, 1e-9);
    }

    #[test]
    fn what_cannot_be_said_is_none_and_no_scatter_is_no_width() {
        assert_eq!(welch(&[1.0], &[1.0, 2.0]), None);
        assert_eq!(welch(&[1.0, 2.0], &[]), None);
        assert_eq!(welch(&[1.0, f64::NAN], &[1.0, 2.0]), None);
        let same = welch(&[1.0, 1.0], &[3.0, 3.0, 3.0]).unwrap();
        assert_eq!((same.difference, same.interval, same.degrees_of_freedom), (2.0, [2.0, 2.0], 3.0));
    }
}
