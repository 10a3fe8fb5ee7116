// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

contract Counter {
    function number() external pure returns (uint256) {
        return 42;
    }
}
