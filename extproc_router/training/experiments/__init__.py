"""Experiments whose results the documents quote; each can be run again."""
