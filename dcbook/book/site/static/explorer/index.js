const dcbookExplorer = {sets: {}, colors: ["#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc", "#ca9161", "#fbafe4", "#949494", "#ece133", "#56b4e9"], index: [
 {"name": "usps", "title": "USPS", "bytes": 1820698, "sha256": "1582b38db39b9faac06ae05dcf7f9b6694cc3da72fda1c6a8666e6361b7a287c"}
]};
