//! What an alert can be found by follows the alert: with every version, whatever the service writes into it.

mod support;

use alertferry::pass::Options;
use alertferry_simulator::{Simulator, Template};
use support::derived::assert_derived;
use support::{Rig, guid, tenant, world};

/// Versions of one alert, each as the members that are set; every one is stored after the one before it.
const VERSIONS: [&[(&str, &str)]; 7] = [
    &[
        ("title", "\"Ransom note\""),
        ("evidence", r#"[{"entityType":"File","sha1":"AA","fileName":"My Tool.exe","processCommandLine":"run -x"}]"#),
    ],
    // Less evidence, and another title.
    &[("title", "\"Quiet\""), ("evidence", "[]")],
    &[(
        "evidence",
        r#"[{"sha1":"AA"},{"sha1":"aa","url":"http://a.b.example:80/x?y"},{"ipAddress":"::FFFF:10.0.0.1"}]"#,
    )],
    // No texts where texts should be.
    &[
        ("title", "null"),
        ("description", "[1]"),
        ("evidence", r#"[7,null,"x",{"sha1":7,"fileName":{"a":1},"url":true}]"#),
    ],
    &[("evidence", r#"{"sha1":"not a list"}"#), ("relatedUser", "\"text\""), ("machineId", "7")],
    // Halves of surrogate pairs, NUL, line ends, marks of all kinds.
    &[
        ("title", r#""\ud800 half \u0000 nul""#),
        ("description", r#""é\n\"quoted\" \udc00""#),
        (
            "evidence",
            r#"[{"fileName":"a\nb\u0000c\ud800.exe","accountName":"  ","domainName":"D\\","processCommandLine":"\"it's\" *"}]"#,
        ),
    ],
    &[("title", "\"Done\""), ("evidence", r#"[{"accountName":"Ann","domainName":"CONTOSO"}]"#)],
];

#[tokio::test]
async fn the_indexes_follow_every_version() {
    let one = guid(1);
    let mut made = world();
    made.add_tenant(&one);
    made.fill(&one, 5, &Template { evidence: 2, ..Template::default() });
    let sim = Simulator::start(made).await.expect("a simulator");
    let rig = Rig::new(Options::default());
    let tenant = tenant(&sim, &one);
    rig.enrol(std::slice::from_ref(&tenant)).await;
    rig.pass_until_read(&tenant).await;
    assert_derived(&rig.path);
    let id = sim.world().with(|world| world.truth(&one)[2].id.clone());
    let found = |sql: &str| rig.query::<i64>(&format!("SELECT count(*) FROM {sql}"));
    for members in VERSIONS {
        sim.world().with(|world| {
            world.advance(std::time::Duration::from_secs(60));
            let members: Vec<(&str, String)> = members.iter().map(|(name, json)| (*name, (*json).to_owned())).collect();
            world.set_members(&one, &id, &members).expect("an alert");
        });
        let updated = rig.pass(&tenant).await.counts.updated;
        assert_eq!(updated, 1, "{members:?}");
        assert_derived(&rig.path);
        assert_eq!(found("search WHERE words MATCH 'title:ransom'"), i64::from(members == VERSIONS[0]));
        assert_eq!(found("hunt WHERE value MATCH 'file:\"my tool.exe\"'"), i64::from(members == VERSIONS[0]));
        assert_eq!(found("hunt WHERE value MATCH '\"10.0.0.1\"'"), i64::from(members == VERSIONS[2]));
    }
    assert_eq!(found("hunt WHERE value MATCH 'account:\"contoso\\ann\"'"), 1);
    assert_eq!(found("evidence WHERE account_name = 'Ann' AND domain_name = 'CONTOSO'"), 1);
}
