const dcbookExplorer = {sets: {}, colors: ["#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc", "#ca9161", "#fbafe4", "#949494", "#ece133", "#56b4e9"], index: [
 {"name": "usps", "title": "USPS", "bytes": 2871816, "sha256": "ddb4152ec1b9ef16711d4149e620bcba38f6892008115f40c65dff2bb7a21409"}
]};
