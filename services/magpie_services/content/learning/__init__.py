"""Learning which words are followed: what became of pushes, the weights of their parts, choice by them."""
