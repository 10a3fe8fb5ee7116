// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// What `Playground` makes: each an address of its own, for templates.
contract Child {
    event Poked(uint256 number);

    function poke(uint256 number) external {
        emit Poked(number);
    }
}

/// One function for each thing that a subgraph may be told of.
contract Playground {
    struct Point {
        int256 x;
        int256 y;
        string label;
    }

    event Stored(uint256 indexed id, address indexed by, string text);
    event Removed(uint256 indexed id);
    event Moved(address indexed from, address indexed to, uint256 amount);
    event Said(string text);
    event Said(uint256 number);
    event Said(string text, uint256 number);
    event Spawned(address indexed child, string name);
    event Published(string cid);
    event Placed(uint256 indexed id, Point point, uint256[] path);
    event Measured(
        int64 small,
        int256 big,
        uint256 unsigned,
        bytes data,
        bytes32 word,
        bool flag,
        address who,
        string text
    );
    event Traded(uint256 amount);

    mapping(uint256 => string) public texts;
    mapping(address => uint256) public balanceOf;

    // ── things that are told of by events ──────────────────────────────────────────────────────

    function store(uint256 id, string calldata text) external {
        texts[id] = text;
        emit Stored(id, msg.sender, text);
    }

    function remove(uint256 id) external {
        delete texts[id];
        emit Removed(id);
    }

    function move(address to, uint256 amount) external {
        balanceOf[to] += amount;
        emit Moved(msg.sender, to, amount);
    }

    function say(string calldata text) external {
        emit Said(text);
    }

    function say(uint256 number) external {
        emit Said(number);
    }

    function say(string calldata text, uint256 number) external {
        emit Said(text, number);
    }

    function spawn(string calldata name) external returns (Child child) {
        child = new Child();
        emit Spawned(address(child), name);
    }

    function publish(string calldata cid) external {
        emit Published(cid);
    }

    function place(uint256 id, Point calldata point, uint256[] calldata path) external {
        emit Placed(id, point, path);
    }

    function measure(
        int64 small,
        int256 big,
        uint256 unsigned,
        bytes calldata data,
        bytes32 word,
        bool flag,
        address who,
        string calldata text
    ) external {
        emit Measured(small, big, unsigned, data, word, flag, who, text);
    }

    function trade(uint256 amount) external {
        emit Traded(amount);
    }

    // ── things that a mapping asks ─────────────────────────────────────────────────────────────

    function describe() external pure returns (string memory) {
        return "nothing";
    }

    function describe(uint256 number) external pure returns (string memory) {
        return number == 0 ? "zero" : "a number";
    }

    function describe(string calldata text) external pure returns (string memory) {
        return string.concat("text: ", text);
    }

    /// Half of an even number; an odd one is refused, and 0 without a reason.
    function half(uint256 number) external pure returns (uint256) {
        if (number == 0) {
            revert();
        }
        require(number % 2 == 0, "odd");
        return number / 2;
    }
}
