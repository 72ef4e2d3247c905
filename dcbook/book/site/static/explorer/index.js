const dcbookExplorer = {sets: {}, colors: ["#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc", "#ca9161", "#fbafe4", "#949494", "#ece133", "#56b4e9"], index: [
 {"name": "fashion-mnist-test", "title": "Fashion-MNIST (test images)", "bytes": 2396722, "sha256": "7fbae6a67f4b86bd1ac585bdc8470a7b37315e234ac66b7941c6c42d9ec36ed0"},
 {"name": "mnist-test", "title": "MNIST (test images)", "bytes": 2348535, "sha256": "4af7141431417bb087fdb3aad4ba0d0e3c929c5f1277b859f273aded8ed72c2c"},
 {"name": "usps", "title": "USPS", "bytes": 2317490, "sha256": "418861613e5766876399229fc206c7ccdab7b60fd6c92321712efb6336b706f7"}
]};
