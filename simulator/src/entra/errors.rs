//! Owns the token endpoint's refusals: AADSTS numbers, HTTP statuses, words and the body around them.

use crate::ids;
use crate::json::quoted;
use crate::ticks::Ticks;

/// What a refusal by Conditional Access carries besides: a hint at the policy for whoever could satisfy it.
const POLICY_CLAIMS: &str =
    r#","suberror":"message_only","claims":"{\"access_token\":{\"capolids\":{\"essential\":true}}}""#;

/// One refusal. Statuses and `error` words of 7000215, 7000222, 700213, 700016 and 90002 are recorded; the others
/// follow the error list of the documentation and what the OAuth protocol asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The path's tenant is neither a GUID nor a domain.
    BadTenantName(String),
    /// `common`, `organizations` or `consumers`.
    NoTenant,
    TenantNotFound(String),
    MissingParameter(&'static str),
    UnsupportedGrant(String),
    ResourceOnV2,
    BadScope(String),
    ScopeWithoutDefault(String),
    SeveralResources,
    AppNotFound {
        app: String,
        tenant: String,
    },
    AppDisabled(String),
    NoCredential,
    WrongSecret(String),
    ExpiredSecret(String),
    BadAssertionSignature,
    AssertionTime,
    AssertionAudience,
    AssertionSubject,
    MalformedAssertion,
    NoFederatedMatch,
    ResourceNotFound {
        resource: String,
        tenant: String,
    },
    ConditionalAccess,
}

impl Refusal {
    /// The HTTP status, the OAuth `error`, and the AADSTS number.
    pub(crate) fn codes(&self) -> (u16, &'static str, u32) {
        match self {
            Self::BadTenantName(_) => (400, "invalid_request", 900_023),
            Self::NoTenant => (400, "invalid_request", 50_059),
            Self::TenantNotFound(_) => (400, "invalid_request", 90_002),
            Self::MissingParameter(_) => (400, "invalid_request", 900_144),
            Self::UnsupportedGrant(_) => (400, "unsupported_grant_type", 70_003),
            Self::ResourceOnV2 => (400, "invalid_request", 901_002),
            Self::BadScope(_) => (400, "invalid_scope", 70_011),
            Self::ScopeWithoutDefault(_) => (400, "invalid_scope", 1_002_012),
            Self::SeveralResources => (400, "invalid_scope", 700_022),
            Self::AppNotFound { .. } => (400, "unauthorized_client", 700_016),
            Self::AppDisabled(_) => (400, "unauthorized_client", 7_000_112),
            Self::NoCredential => (401, "invalid_client", 7_000_218),
            Self::WrongSecret(_) => (401, "invalid_client", 7_000_215),
            Self::ExpiredSecret(_) => (401, "invalid_client", 7_000_222),
            Self::BadAssertionSignature => (401, "invalid_client", 700_027),
            Self::AssertionTime => (401, "invalid_client", 700_024),
            Self::AssertionAudience => (401, "invalid_client", 700_023),
            Self::AssertionSubject => (401, "invalid_client", 700_021),
            Self::MalformedAssertion => (401, "invalid_client", 50_027),
            Self::NoFederatedMatch => (401, "invalid_client", 700_213),
            Self::ResourceNotFound { .. } => (400, "invalid_resource", 500_011),
            Self::ConditionalAccess => (400, "access_denied", 53_003),
        }
    }

    fn words(&self) -> String {
        match self {
            Self::BadTenantName(name) => format!(
                "Specified tenant identifier '{name}' is neither a valid DNS name, nor a valid external domain."
            ),
            Self::NoTenant => "No tenant-identifying information found in either the request or implied by any \
                               provided credentials."
                .to_owned(),
            Self::TenantNotFound(tenant) => format!(
                "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into \
                 the correct cloud. This may happen if there are no active subscriptions for the tenant."
            ),
            Self::MissingParameter(name) => {
                format!("The request body must contain the following parameter: '{name}'.")
            }
            Self::UnsupportedGrant(grant) => format!("The app requested an unsupported grant type '{grant}'."),
            Self::ResourceOnV2 => "The 'resource' request parameter isn't supported.".to_owned(),
            Self::BadScope(scope) => {
                format!("The provided request must include a valid 'scope'. The scope '{scope}' is not valid.")
            }
            Self::ScopeWithoutDefault(scope) => format!(
                "The provided value for scope {scope} is not valid. Client credential flows must have a scope value \
                 with /.default suffixed to the resource identifier (application ID URI)."
            ),
            Self::SeveralResources => "The provided scope is invalid: it names more than one resource.".to_owned(),
            Self::AppNotFound { app, tenant } => format!(
                "Application with identifier '{app}' was not found in the directory '{tenant}'. This can happen if \
                 the application has not been installed by the administrator of the tenant or consented to by any \
                 user in the tenant."
            ),
            Self::AppDisabled(app) => format!("Application '{app}' is disabled."),
            Self::ResourceNotFound { resource, tenant } => format!(
                "The resource principal named {resource} was not found in the tenant named {tenant}. This can happen \
                 if the tenant has no subscription for it."
            ),
            Self::ConditionalAccess => {
                "Access has been blocked by Conditional Access policies. The access policy does not allow token \
                 issuance."
                    .to_owned()
            }
            Self::WrongSecret(app) => format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret \
                 value, not the client secret ID, for a secret added to app '{app}'."
            ),
            Self::ExpiredSecret(app) => format!("The provided client secret keys for app '{app}' are expired."),
            Self::NoCredential => "The request body must contain the following parameter: 'client_assertion' or \
                                   'client_secret'."
                .to_owned(),
            Self::BadAssertionSignature
            | Self::AssertionTime
            | Self::AssertionAudience
            | Self::AssertionSubject
            | Self::MalformedAssertion
            | Self::NoFederatedMatch => self.assertion_words().to_owned(),
        }
    }

    fn assertion_words(&self) -> &'static str {
        match self.codes().2 {
            700_027 => {
                "The certificate with identifier used to sign the client assertion is not registered on application, \
                 or the signature is not valid."
            }
            700_024 => "Client assertion is not within its valid time range. Check the clock of the computer.",
            700_023 => "Client assertion audience claim does not match the token endpoint that was called.",
            700_021 => "Client assertion application identifier doesn't match 'client_id' parameter.",
            700_213 => "No matching federated identity record found for presented assertion subject.",
            _ => "JWT token is invalid or malformed.",
        }
    }

    /// The JSON body, dated `now`. The description's parts are separated by spaces as in recordings since 2024.
    pub(crate) fn body(&self, now: Ticks, correlation: &str) -> String {
        let (_, error, code) = self.codes();
        let trace = ids::guid(&mut rand::rng());
        let stamp = stamp(now);
        let words = self.words();
        let description =
            format!("AADSTS{code}: {words} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}");
        let extra = if *self == Self::ConditionalAccess { POLICY_CLAIMS } else { "" };
        format!(
            "{{\"error\":\"{error}\",\"error_description\":{},\"error_codes\":[{code}],\"timestamp\":\"{stamp}\",\
             \"trace_id\":\"{trace}\",\"correlation_id\":\"{correlation}\",\
             \"error_uri\":\"https://login.microsoftonline.com/error?code={code}\"{extra}}}",
            quoted(&description)
        )
    }
}

/// `YYYY-MM-DD HH:MM:SSZ`
fn stamp(now: Ticks) -> String {
    Ticks::from_unix_seconds(now.unix_seconds()).to_string().replace('T', " ")
}
