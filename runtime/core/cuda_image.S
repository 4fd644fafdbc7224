/* Embeds one fatbin under its variant's symbol. KVF_SYMBOL and KVF_FATBIN come from the build. */
    .section .rodata
    .balign 16
    .globl KVF_SYMBOL
    .hidden KVF_SYMBOL
    .type KVF_SYMBOL, %object
KVF_SYMBOL:
    .incbin KVF_FATBIN
    .size KVF_SYMBOL, . - KVF_SYMBOL
    .section .note.GNU-stack, "", %progbits
