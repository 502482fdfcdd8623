//! The forms in which a function may be named: name, partial ARN, ARN, each with a qualifier.
//!
//! Apart because it is pure. Forms: <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_RequestSyntax>. Invariant:
//! a name of another account or region is never taken for one of ours.

use super::refusal::Refusal;
use crate::function::{ACCOUNT, REGION};

/// A function as a caller named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FunctionName {
    pub(super) function: String,
    region: String,
    account: String,
    qualifier: Option<String>,
}

impl FunctionName {
    /// Takes `named` apart; `qualifier` is the query parameter.
    ///
    /// # Errors
    /// A form that Lambda does not know, or two qualifiers that differ.
    pub(super) fn parse(named: &str, qualifier: Option<&str>) -> Result<Self, Refusal> {
        let parts: Vec<&str> = named.split(':').collect();
        let (region, account, rest) = match parts[..] {
            ["arn", _, "lambda", region, account, "function", ref rest @ ..] => (region, account, rest),
            [account, "function", ref rest @ ..] if is_account(account) => (REGION, account, rest),
            ["function", ref rest @ ..] => (REGION, ACCOUNT, rest),
            ref rest => (REGION, ACCOUNT, rest),
        };
        let (function, own) = match *rest {
            [function] => (function, None),
            [function, own] => (function, Some(own)),
            _ => return Err(malformed(named)),
        };
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if function.is_empty() || !function.bytes().all(allowed) {
            return Err(malformed(named));
        }
        let qualifier = match (own, qualifier) {
            (Some(own), Some(other)) if own != other => {
                let message =
                    "The derived qualifier from the function name does not match the specified qualifier.";
                return Err(Refusal::invalid_parameter(message));
            }
            (own, other) => own.or(other).map(str::to_owned),
        };
        Ok(Self {
            function: function.to_owned(),
            region: region.to_owned(),
            account: account.to_owned(),
            qualifier,
        })
    }

    /// Whether it means the only version the lab serves, in the account and region it plays.
    pub(super) fn is_latest(&self) -> bool {
        let here = self.region == REGION && self.account == ACCOUNT;
        here && self.qualifier.as_deref().is_none_or(|qualifier| qualifier == "$LATEST")
    }

    /// The ARN, qualified where the caller qualified it.
    pub(super) fn arn(&self) -> String {
        let Self { function, region, account, qualifier } = self;
        let qualifier = qualifier.as_ref().map(|qualifier| format!(":{qualifier}")).unwrap_or_default();
        format!("arn:aws:lambda:{region}:{account}:function:{function}{qualifier}")
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn malformed(named: &str) -> Refusal {
    Refusal::validation(&format!(
        "1 validation error detected: Value '{named}' at 'functionName' failed to satisfy constraint: Member must be a \
         function name, a partial ARN or an ARN, such as my-function or 123456789012:function:my-function:$LATEST"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:hello";

    #[test]
    fn every_form_of_a_name_means_the_function() {
        for form in ["hello", "function:hello", "123456789012:function:hello", ARN] {
            for (named, qualifier) in [
                (form.to_owned(), None),
                (format!("{form}:$LATEST"), None),
                (form.to_owned(), Some("$LATEST")),
                (format!("{form}:$LATEST"), Some("$LATEST")),
            ] {
                let name = FunctionName::parse(&named, qualifier).unwrap();
                assert_eq!(
                    (name.function.as_str(), name.is_latest()),
                    ("hello", true),
                    "{named} {qualifier:?}"
                );
            }
        }
        assert_eq!(FunctionName::parse("hello", None).unwrap().arn(), ARN);
    }

    #[test]
    fn other_versions_accounts_and_regions_are_not_here() {
        let other_region = ARN.replace("us-east-1", "eu-west-1");
        for named in ["hello:live", "210987654321:function:hello", &other_region] {
            assert!(!FunctionName::parse(named, None).unwrap().is_latest(), "{named}");
        }
        assert_eq!(FunctionName::parse("hello", Some("7")).unwrap().arn(), format!("{ARN}:7"));
    }

    #[test]
    fn malformed_names_are_refused() {
        for named in
            ["", ":", "a b", "hello:1:2", "arn:aws:lambda:us-east-1:123456789012:layer:x", "a/b", "h\u{e9}"]
        {
            assert!(FunctionName::parse(named, None).is_err(), "{named}");
        }
        assert!(FunctionName::parse("hello:1", Some("2")).is_err());
    }
}
