//! Owns the texts that an attacker would write, each once.

/// A text by what it tries.
#[derive(Clone, Copy)]
pub struct Hostile {
    /// What it tries, in words for an id.
    pub name: &'static str,
    /// The text as it stands in JSON, without its quotes.
    pub json: &'static str,
}

const fn hostile(name: &'static str, json: &'static str) -> Hostile {
    Hostile { name, json }
}

/// The texts. They stand in titles, devices, categories, accounts, file names, command lines and comments.
pub const TEXTS: [Hostile; 24] = [
    hostile("csi", r#"\u001b[2J\u001b[1;1Hall clear\u001b[31m\u001b]0;owned\u0007"#),
    hostile("osc-8-link", r#"\u001b]8;;https://evil.example\u001b\\click\u001b]8;;\u001b\\"#),
    hostile("osc-52-clipboard", r#"\u001b]52;c;cm0gLXJmIC8=\u0007"#),
    hostile("dcs", r#"\u001bP$q\"p\u001b\\\u001b_apc\u001b\\\u001b^pm\u001b\\"#),
    hostile("c1", r#"\u009b2J\u009d52;c;eA==\u009c\u0090q\u0085next"#),
    hostile("erasing", r#"malware\b\b\b\b\b\b\bbenign \rok\u0007\u007f"#),
    hostile("lines", "first\\nsecond\\r\\nHigh\\u2028third\\u2029fourth\\u000bfifth\\ffsixth"),
    hostile("bidi", r#"\u202egnp.exe\u202c \u2066isolated\u2069 \u200fmark \u061cletter"#),
    hostile("invisible", r#"po\u200bwer\u00adsh\u2060ell\ufeff.\u180eexe\u3164\u2800\u115f\u034f!"#),
    hostile("joiners", r#"pay\u200dpal\u200c.exe a\ufe0fb"#),
    hostile("tags", r#"ok\udb40\udc01\udb40\udc69\udb40\udc67\udb40\udc6e\udb40\udc7f\udb40\udd00"#),
    hostile("nul", r#"before\u0000after"#),
    hostile("lone-surrogates", r#"high \ud800 low \udfff turned \udc00\ud800 end\ud83d"#),
    hostile(
        "marks",
        r#"Z\u0300\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308\u0309\u030a\u030b\u030c\u030d\u030e\u030f\u0310a\u0e47\u0e47\u0e47\u0e47\u0e47\u0e47\u0e47\u0e47\u0e47\u0e47lgo"#,
    ),
    hostile("wide", "検出：疑わしいプログラム 한국어 👩‍👩‍👧‍👦 🏴‍☠️ ｱｲｳ Ａ"),
    hostile("scripts", "می‌خواهم שלום Größe नमस्ते ไทย"),
    hostile("json", r#"\",\"severity\":\"Low\",\"x\":[{}]} \\u001b \\"#),
    hostile("sql", r#"'; DROP TABLE alert; -- \u0000 OR '1'='1"#),
    hostile("formula-equals", r#"=HYPERLINK(\"http://evil.example\",\"open\")"#),
    hostile("formula-plus", r#"+1+cmd|' /C calc'!A0"#),
    hostile("formula-minus", r#"-2+3+cmd|' /C calc'!A0"#),
    hostile("formula-at", r#"@SUM(1+9)*cmd|' /C calc'!A0"#),
    hostile("formula-blank", r#"\t=1+1"#),
    hostile("formula-wide", r#" \u200b＝1+1"#),
];

/// The text that is no Unicode, with what stands for its halves of characters.
const LONE: &str = "high \u{fffd} low \u{fffd} turned \u{fffd}\u{fffd} end\u{fffd}";

/// What a tenant may be called: all that the configuration lets through.
pub const TENANT_NAME: &str = "=Ev\u{202e}il\u{200b} \u{2028}{Ltd} 株式";

impl Hostile {
    /// The text as the store has it.
    pub fn text(self) -> String {
        serde_json::from_str(&format!("\"{}\"", self.json)).unwrap_or_else(|_| LONE.to_owned())
    }

    /// The alert's id.
    pub fn id(self) -> String {
        format!("da638512345678901234_{}", self.name)
    }

    /// The alert, whose texts are all this one.
    pub fn alert(self, tenant: &str, number: usize) -> String {
        let (id, text) = (self.id(), self.json);
        let at = format!("2015-05-14T07:{number:02}:00.1234567Z");
        format!(
            r#"{{"id":"{id}","incidentId":7,"severity":"Medium","status":"New","category":"{text}","title":"{text}",
            "description":"{text}","alertCreationTime":"{at}","firstEventTime":"{at}","lastEventTime":"{at}",
            "lastUpdateTime":"{at}","machineId":"{text}","computerDnsName":"{text}","aadTenantId":"{tenant}",
            "assignedTo":"{text}","detectionSource":"WindowsDefenderAtp","threatName":"{text}",
            "mitreTechniques":["{text}"],"relatedUser":{{"userName":"{text}","domainName":"{text}"}},
            "comments":[{{"comment":"{text}","createdBy":"{text}","createdTime":"{at}"}}],
            "evidence":[{{"entityType":"Process","evidenceCreationTime":"{at}","fileName":"{text}","filePath":"{text}",
            "processId":7,"processCommandLine":"{text}","accountName":"{text}","domainName":"{text}"}}]}}"#
        )
        .replace('\n', "")
    }
}

#[test]
fn only_one_text_is_no_unicode() {
    let lone: Vec<&str> = TEXTS.into_iter().filter(|text| text.text() == LONE).map(|text| text.name).collect();
    assert_eq!(lone, ["lone-surrogates"]);
}
