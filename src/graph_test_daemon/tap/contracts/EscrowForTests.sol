// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice What the escrow asks of the token that it pays with.
interface IToken {
    function transfer(address to, uint256 amount) external returns (bool);
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

/// @notice A token for chains that have none; whoever is named has all of it at first.
contract TokenForTests {
    string public constant name = "Token for tests";
    string public constant symbol = "TEST";
    uint8 public constant decimals = 18;
    uint256 public immutable totalSupply;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    error BalanceTooLow(address owner, uint256 balance, uint256 needed);
    error AllowanceTooLow(address spender, uint256 allowed, uint256 needed);

    constructor(address holder, uint256 supply) {
        totalSupply = supply;
        balanceOf[holder] = supply;
        emit Transfer(address(0), holder, supply);
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        emit Approval(msg.sender, spender, amount);
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        _move(msg.sender, to, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        uint256 allowed = allowance[from][msg.sender];
        if (allowed < amount) revert AllowanceTooLow(msg.sender, allowed, amount);
        allowance[from][msg.sender] = allowed - amount;
        _move(from, to, amount);
        return true;
    }

    function _move(address from, address to, uint256 amount) private {
        uint256 balance = balanceOf[from];
        if (balance < amount) revert BalanceTooLow(from, balance, amount);
        balanceOf[from] = balance - amount;
        balanceOf[to] += amount;
        emit Transfer(from, to, amount);
    }
}

/// @notice Holds what payers have set aside for receivers, and pays vouchers from it.
/// @dev For tests: small, without an owner, a pause or upgrades. Vouchers of version 1 are paid once
/// for each allocation; who redeems one proves with the allocation's key that it is theirs. Vouchers
/// of version 2 are verified only: collecting them is a matter of the data service's contract.
contract EscrowForTests {
    struct Voucher {
        address allocationId;
        uint64 timestampNs;
        uint128 valueAggregate;
    }

    struct VoucherV2 {
        bytes32 collectionId;
        address payer;
        address serviceProvider;
        address dataService;
        uint64 timestampNs;
        uint128 valueAggregate;
        bytes metadata;
    }

    struct Account {
        uint256 balance;
        uint256 thawing;
        uint256 thawEnd;
    }

    bytes32 private constant DOMAIN_TYPE = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );
    bytes32 private constant VOUCHER_TYPE = keccak256(
        "ReceiptAggregateVoucher(address allocationId,uint64 timestampNs,uint128 valueAggregate)"
    );
    bytes32 private constant VOUCHER_V2_TYPE = keccak256(
        "ReceiptAggregateVoucher(bytes32 collectionId,address payer,address serviceProvider,address dataService,uint64 timestampNs,uint128 valueAggregate,bytes metadata)"
    );
    uint256 private constant HALF_ORDER =
        0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    IToken public immutable token;
    uint256 public immutable thawSeconds;
    bytes32 public immutable domainSeparator;

    mapping(address => mapping(address => Account)) public accounts;
    mapping(address => address) public payerOf;
    mapping(address => bool) public isRedeemed;

    event Deposited(address indexed payer, address indexed receiver, uint256 amount);
    event SignerAuthorized(address indexed payer, address indexed signer);
    event SignerRevoked(address indexed payer, address indexed signer);
    event Redeemed(
        address indexed payer, address indexed receiver, address indexed allocationId, uint256 amount
    );
    event Thawing(address indexed payer, address indexed receiver, uint256 amount, uint256 until);
    event Withdrawn(address indexed payer, address indexed receiver, uint256 amount);

    error SignatureInvalid();
    error ProofExpired(uint256 deadline, uint256 time);
    error ProofNotOfSigner(address signer, address recovered);
    error SignerTaken(address signer, address payer);
    error SignerNotAuthorized(address signer);
    error ProofNotOfAllocation(address allocationId, address recovered);
    error AlreadyRedeemed(address allocationId);
    error EscrowTooLow(uint256 balance, uint256 needed);
    error StillThawing(uint256 until, uint256 time);
    error NothingThawing();
    error TransferFailed();

    constructor(IToken token_, string memory name, string memory version, uint256 thawSeconds_) {
        token = token_;
        thawSeconds = thawSeconds_;
        domainSeparator = keccak256(
            abi.encode(
                DOMAIN_TYPE,
                keccak256(bytes(name)),
                keccak256(bytes(version)),
                block.chainid,
                address(this)
            )
        );
    }

    /// @notice Set tokens aside for a receiver; they were approved before.
    function deposit(address receiver, uint256 amount) external {
        accounts[msg.sender][receiver].balance += amount;
        emit Deposited(msg.sender, receiver, amount);
        if (!token.transferFrom(msg.sender, address(this), amount)) revert TransferFailed();
    }

    /// @notice Have a signer's vouchers paid from the caller's escrow.
    /// @param proof the signer's signature of `authorizationHash`, as a message of a wallet.
    function authorizeSigner(address signer, uint256 deadline, bytes calldata proof) external {
        if (block.timestamp > deadline) revert ProofExpired(deadline, block.timestamp);
        if (payerOf[signer] != address(0)) revert SignerTaken(signer, payerOf[signer]);
        address recovered = _recover(_walletHash(authorizationHash(msg.sender, deadline)), proof);
        if (recovered != signer) revert ProofNotOfSigner(signer, recovered);
        payerOf[signer] = msg.sender;
        emit SignerAuthorized(msg.sender, signer);
    }

    function revokeSigner(address signer) external {
        if (payerOf[signer] != msg.sender) revert SignerNotAuthorized(signer);
        delete payerOf[signer];
        emit SignerRevoked(msg.sender, signer);
    }

    /// @notice Pay a voucher to the caller, once for each allocation.
    /// @param proof the allocation's signature of `allocationHash`, as a message of a wallet.
    function redeem(Voucher calldata voucher, bytes calldata signature, bytes calldata proof)
        external
    {
        address signer = recoverSigner(voucher, signature);
        address payer = payerOf[signer];
        if (payer == address(0)) revert SignerNotAuthorized(signer);
        address id = voucher.allocationId;
        if (isRedeemed[id]) revert AlreadyRedeemed(id);
        address prover = _recover(_walletHash(allocationHash(msg.sender, id)), proof);
        if (prover != id) revert ProofNotOfAllocation(id, prover);
        Account storage account = accounts[payer][msg.sender];
        uint256 amount = voucher.valueAggregate;
        if (account.balance < amount) revert EscrowTooLow(account.balance, amount);
        isRedeemed[id] = true;
        account.balance -= amount;
        if (account.thawing > account.balance) account.thawing = account.balance;
        emit Redeemed(payer, msg.sender, id, amount);
        if (!token.transfer(msg.sender, amount)) revert TransferFailed();
    }

    /// @notice Begin to take tokens back; each call begins anew.
    function thaw(address receiver, uint256 amount) external {
        Account storage account = accounts[msg.sender][receiver];
        if (account.balance < amount) revert EscrowTooLow(account.balance, amount);
        account.thawing = amount;
        account.thawEnd = block.timestamp + thawSeconds;
        emit Thawing(msg.sender, receiver, amount, account.thawEnd);
    }

    /// @notice Take back what has thawed.
    function withdraw(address receiver) external {
        Account storage account = accounts[msg.sender][receiver];
        uint256 amount = account.thawing;
        if (amount == 0) revert NothingThawing();
        if (block.timestamp < account.thawEnd) {
            revert StillThawing(account.thawEnd, block.timestamp);
        }
        account.balance -= amount;
        account.thawing = 0;
        emit Withdrawn(msg.sender, receiver, amount);
        if (!token.transfer(msg.sender, amount)) revert TransferFailed();
    }

    function authorizationHash(address payer, uint256 deadline) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), payer, deadline));
    }

    function allocationHash(address receiver, address id) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), receiver, id));
    }

    function recoverSigner(Voucher calldata voucher, bytes calldata signature)
        public
        view
        returns (address)
    {
        bytes32 hash = keccak256(
            abi.encode(
                VOUCHER_TYPE, voucher.allocationId, voucher.timestampNs, voucher.valueAggregate
            )
        );
        return _recover(_typedHash(hash), signature);
    }

    function recoverSignerV2(VoucherV2 calldata voucher, bytes calldata signature)
        external
        view
        returns (address)
    {
        bytes32 hash = keccak256(
            abi.encode(
                VOUCHER_V2_TYPE,
                voucher.collectionId,
                voucher.payer,
                voucher.serviceProvider,
                voucher.dataService,
                voucher.timestampNs,
                voucher.valueAggregate,
                keccak256(voucher.metadata)
            )
        );
        return _recover(_typedHash(hash), signature);
    }

    function _typedHash(bytes32 hash) private view returns (bytes32) {
        return keccak256(abi.encodePacked("\x19\x01", domainSeparator, hash));
    }

    function _walletHash(bytes32 hash) private pure returns (bytes32) {
        return keccak256(abi.encodePacked("\x19Ethereum Signed Message:\n32", hash));
    }

    function _recover(bytes32 hash, bytes calldata signature) private pure returns (address) {
        if (signature.length != 65) revert SignatureInvalid();
        bytes32 r = bytes32(signature[0:32]);
        bytes32 s = bytes32(signature[32:64]);
        if (uint256(s) > HALF_ORDER) revert SignatureInvalid();
        address signer = ecrecover(hash, uint8(signature[64]), r, s);
        if (signer == address(0)) revert SignatureInvalid();
        return signer;
    }
}
